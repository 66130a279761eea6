"""Settings of nodes that call another workflow."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.axe import violations
from tests.support.e2e.drafts import create, write
from tests.support.e2e.editor import card, drafted, open_editor, pick
from tests.support.e2e.workflows import greeting, node

pytestmark = pytest.mark.slow


def settings(page: Page) -> Locator:
    return page.get_by_role("region", name="Settings")


def test_a_called_workflow_opens_beside_and_tells_its_changes(
    page: Page, stack: RunningStack
) -> None:
    called = create(stack, "Called")
    slug = create(stack, "Caller")
    document = greeting("Caller")
    document["nodes"].append(node("call", "subWorkflow", 3))
    write(stack, slug, document)
    open_editor(page, slug)
    pick(page, "call")
    settings(page).get_by_label("Workflow", exact=True).select_option("Called")
    expect(card(page, "call").locator('[data-socket="name"]')).to_be_visible()
    link = settings(page).get_by_role("link", name="Open called in a new tab")
    expect(link).to_have_attribute("href", f"/app/editor/{called}")
    expect(link).to_have_attribute("target", "_blank")
    drafted(page, stack, slug, lambda found: "calledVersions" in found["editor"])

    changed = greeting("Called")
    language = {"name": "language", "label": "Language", "type": "pills", "options": ["en", "de"]}
    changed["nodes"][0]["data"]["fields"].append({**language, "required": False})
    status, answer = stack.api("PUT", f"/api/workflows/{called}", changed)
    assert status == 200, answer

    note = settings(page).get_by_role("status").filter(has_text="Version 2 of called")
    expect(note).to_contain_text("The input ‘language’ (choice) is new.")
    expect(card(page, "call")).to_contain_text("Changed since version 1")
    expect(card(page, "call").locator('[data-socket="language"]')).to_be_visible()
    assert violations(page) == []
    note.get_by_role("button", name="I have seen it").click()
    expect(note).to_have_count(0)
