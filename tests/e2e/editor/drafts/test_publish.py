"""From the draft to what callers run: differences, publishing, versions, the way to code."""

import json
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.axe import SETTLED, violations
from tests.support.e2e.drafts import (
    create,
    draft,
    expect_saved,
    forget,
    state,
    text_field,
    text_of,
    with_text,
    write,
)
from tests.support.e2e.editor import open_editor
from tests.support.e2e.workflows import greeting

pytestmark = pytest.mark.slow
PHONE = {"width": 390, "height": 844}


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def publish_dialog(page: Page) -> Locator:
    press(page, "Publish")
    return page.get_by_role("dialog", name="Publish version")


def panel(page: Page, name: str) -> Locator:
    press(page, name)
    return page.get_by_role("region", name=name, exact=True)


def run(stack: RunningStack, slug: str) -> Any:
    _, answer = stack.api("POST", f"/api/workflows/{slug}/run", {"inputs": {"name": "Ada"}})
    return answer["result"]["text"]


def test_a_change_is_published_with_a_note(page: Page, stack: RunningStack) -> None:
    slug = create(stack, "To publish")
    open_editor(page, slug)
    expect(state(page)).to_contain_text("Unchanged · version 1")
    text_field(page).fill("Good day {{ name }}!")
    expect(state(page)).to_contain_text("Changed · 1 since version 1")

    dialog = publish_dialog(page)
    changed = dialog.get_by_role("region", name="Nodes").get_by_role("listitem")
    expect(changed).to_contain_text("Text Box text")
    expect(changed).to_contain_text("before: Hello {{ name }}!")
    expect(changed).to_contain_text("after: Good day {{ name }}!")
    dialog.get_by_label("Note").fill("Greets by day")
    dialog.get_by_role("button", name="Publish now").click()

    expect(state(page)).to_contain_text("Published · version 2")
    assert run(stack, slug) == "Good day Ada!"
    versions = panel(page, "Versions")
    expect(versions.get_by_role("listitem", name="Version 2")).to_contain_text("Greets by day")
    expect(versions.get_by_role("listitem", name="Version 2")).to_contain_text("Live")
    expect(versions.get_by_role("listitem", name="Version 1")).to_contain_text("3 nodes")
    expect(state(page)).to_contain_text("Unchanged · version 2")


def test_the_difference_names_nodes_wires_and_members(page: Page, stack: RunningStack) -> None:
    slug = create(stack, "Differs", description="Old words")
    document = with_text("Bye {{ name }}", "Differs", description="New words")
    document["nodes"][1]["position"] = {"x": 320, "y": 160}
    document["nodes"][0]["position"] = {"x": 0, "y": 80}
    document["nodes"].append(
        {"id": "more", "type": "textBox", "position": {"x": 640, "y": 200}, "data": {"text": "x"}}
    )
    document["edges"][1]["source"] = "more"
    document["edges"][1]["id"] = "more-result"
    write(stack, slug, document)
    open_editor(page, slug)

    dialog = publish_dialog(page)

    def told(name: str) -> list[str]:
        rows = dialog.get_by_role("region", name=name, exact=True).get_by_role("listitem")
        return [f"{each.get_attribute('data-change')} {each.inner_text()}" for each in rows.all()]

    expect(dialog.get_by_role("img", name="Both graphs")).to_be_visible()
    nodes, wires, members = told("Nodes"), told("Wires"), told("Workflow")
    assert [each.split()[0] for each in nodes] == ["changed", "added"]
    assert "Bye" in nodes[0]
    assert sorted(each.split()[0] for each in wires) == ["added", "removed"]
    assert "Old words" in members[0]
    assert "New words" in members[0]
    expect(dialog).to_contain_text("1 node was moved.")


def test_a_breaking_change_is_named_and_published_deliberately(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    slug = create(stack, "Breaks callers")
    document = greeting("Breaks callers")
    document["nodes"][0]["data"]["fields"][0]["name"] = "who"
    document["edges"][0]["sourceHandle"] = "who"
    write(stack, slug, document)
    call = {"id": "call", "type": "subWorkflow", "data": {"workflow": slug}}
    user = {"name": "Calls the breaker", "nodes": [call], "edges": [], "draft": True}
    stack.api("POST", "/api/workflows", user)
    open_editor(page, slug)
    dialog = publish_dialog(page)

    dialog.get_by_role("button", name="Publish now").click()
    expect(dialog.get_by_role("alert")).to_contain_text("The input 'name' is removed or renamed")
    expect(dialog.get_by_role("alert")).to_contain_text("call it: calls-the-breaker")
    assert violations(page) == []
    assert run(stack, slug) == "Hello Ada!"
    dialog.get_by_role("button", name="Publish anyway").click()

    expect(state(page)).to_contain_text("Published · version 2")
    forget(complaints)


def test_problems_block_publishing_and_lead_to_their_field(page: Page, stack: RunningStack) -> None:
    slug = create(stack, "Has problems")
    open_editor(page, slug)
    text_field(page).fill("Hello {{ name }} and {{ nobody }}")
    expect(state(page)).to_contain_text("Problems · 1")

    dialog = publish_dialog(page)
    expect(dialog.get_by_role("button", name="Publish now")).to_be_disabled()
    dialog.get_by_role("button", name="Show the checklist").click()
    checklist = page.get_by_role("region", name="Checklist")
    place = checklist.get_by_role("region", name="Text Box text")
    place.get_by_role("button").click()

    field = page.get_by_role("region", name="Settings").get_by_label("Text", exact=True)
    expect(field).to_have_value("Hello {{ name }} and {{ nobody }}")
    field.fill("Hello {{ name }}!")
    press(page, "No problems")
    expect(page.get_by_role("region", name="Checklist")).to_contain_text("No problems")


def test_six_states_differ_by_sign_and_word(page: Page, stack: RunningStack) -> None:
    _, made = stack.api("POST", "/api/workflows", greeting("Six states", draft=True))
    open_editor(page, made["slug"])
    seen: list[str] = []

    def see(word: str) -> None:
        expect(state(page)).to_contain_text(word)
        seen.append(str(state(page).text_content())[0])

    held: list[Route] = []
    page.route("**/publish", lambda route: held.append(route))
    see("Never published")
    publish_dialog(page).get_by_role("button", name="Publish now").click()
    see("Publishing")
    held[0].continue_()
    see("Published · version 1")
    see("Unchanged")
    text_field(page).fill("Other {{ name }}")
    see("Changed")
    text_field(page).fill("Other {{ nobody }}")
    see("Problems")

    assert len(set(seen)) == len(seen)


def test_an_unchanged_draft_is_not_published_again(page: Page, stack: RunningStack) -> None:
    open_editor(page, create(stack, "Unchanged"))

    page.get_by_role("button", name="Publish", exact=True).click()

    dialog = page.get_by_role("dialog", name="Nothing new to publish")
    expect(dialog).to_contain_text("Callers run version 1, which is just as this draft.")
    expect(dialog.get_by_role("button")).to_have_text(["Close"])


def test_a_discarded_draft_comes_back_by_undo(page: Page, stack: RunningStack) -> None:
    slug = create(stack, "Discarded")
    open_editor(page, slug)
    text_field(page).fill("Not so good {{ name }}")
    expect_saved(page)

    publish_dialog(page).get_by_role("button", name="Discard draft").click()

    expect(text_field(page)).to_have_value("Hello {{ name }}!")
    expect(state(page)).to_contain_text("Unchanged")
    assert stack.api("GET", f"/api/workflows/{slug}/draft")[0] == 404
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(text_field(page)).to_have_value("Not so good {{ name }}")
    expect_saved(page)
    assert text_of(draft(stack, slug)) == "Not so good {{ name }}"


def test_a_roll_back_says_what_callers_get_and_leaves_the_draft(
    page: Page, stack: RunningStack
) -> None:
    slug = create(stack, "Rolled back")
    stack.api("PUT", f"/api/workflows/{slug}", with_text("Second {{ name }}", "Rolled back"))
    write(stack, slug, with_text("Third {{ name }}", "Rolled back"))
    open_editor(page, slug)

    panel(page, "Versions").get_by_role("button", name="Roll back").click()
    dialog = page.get_by_role("dialog", name="Roll back to version 1")
    expect(dialog).to_contain_text("Callers get version 1 again, as version 3.")
    expect(dialog).to_contain_text("after: Hello {{ name }}!")
    dialog.get_by_role("button", name="Roll back").click()

    expect(page.get_by_role("listitem", name="Version 3")).to_contain_text("Live")
    assert run(stack, slug) == "Hello Ada!"
    expect(text_field(page)).to_have_value("Third {{ name }}")


def test_a_roll_back_without_a_draft_is_shown(page: Page, stack: RunningStack) -> None:
    slug = create(stack, "Rolled back and shown")
    document = with_text("Second {{ name }}", "Rolled back and shown")
    stack.api("PUT", f"/api/workflows/{slug}", document)
    open_editor(page, slug)

    panel(page, "Versions").get_by_role("button", name="Roll back").click()
    page.get_by_role("dialog").get_by_role("button", name="Roll back").click()

    expect(text_field(page)).to_have_value("Hello {{ name }}!")
    expect(state(page)).to_contain_text("Unchanged · version 3")


def test_a_version_is_compared_and_copied_into_the_draft(page: Page, stack: RunningStack) -> None:
    slug = create(stack, "Compared")
    stack.api("PUT", f"/api/workflows/{slug}", with_text("Second {{ name }}", "Compared"))
    open_editor(page, slug)

    row = panel(page, "Versions").get_by_role("listitem", name="Version 1")
    row.get_by_role("button", name="Compare with draft").click()
    dialog = page.get_by_role("dialog", name="From version 1 to the draft")
    expect(dialog).to_contain_text("before: Hello {{ name }}!")
    dialog.get_by_role("button", name="Copy version 1 into the draft").click()

    expect(text_field(page)).to_have_value("Hello {{ name }}!")
    expect(state(page)).to_contain_text("Changed")
    expect_saved(page)


def test_the_way_to_code_is_in_the_deploy_panel(page: Page, stack: RunningStack) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    slug = create(stack, "To deploy")
    open_editor(page, slug)

    deploy = panel(page, "Deploy")
    expect(deploy).to_contain_text("Callers run version 1. The draft is the same.")
    deploy.get_by_role("button", name="Copy endpoint").click()
    assert page.evaluate("navigator.clipboard.readText()").endswith(f"/api/workflows/{slug}/run")
    deploy.get_by_role("button", name="Copy address for MCP").click()
    assert page.evaluate("navigator.clipboard.readText()") == f"{stack.url}/mcp"
    expect(deploy.get_by_role("region", name="As a tool")).to_contain_text(f"the tool {slug}")
    for tab, word in (("curl", "curl -s"), ("Python", "Headrace("), ("TypeScript", "new Headrace")):
        deploy.get_by_role("tab", name=tab).click()
        expect(deploy.get_by_role("tabpanel")).to_contain_text(word)
        expect(deploy.get_by_role("tabpanel")).to_contain_text("Ada")
    expect(deploy.get_by_role("region", name="Inputs")).to_contain_text("name text, required")
    deploy.get_by_role("switch", name="Public playground").check()
    expect(deploy).to_contain_text("The draft has 1 change that they do not get yet.")
    expect_saved(page)
    assert draft(stack, slug)["publicPlayground"] is True
    for link in ("Open the playground", "API keys and webhooks", "API reference"):
        expect(deploy.get_by_role("link", name=link)).to_be_visible()


def test_name_tags_and_recording_are_edited(page: Page, stack: RunningStack) -> None:
    slug = create(stack, "Old name")
    open_editor(page, slug)

    press(page, "Old name")
    page.get_by_label("Name of the workflow").fill("New name")
    page.keyboard.press("Enter")
    workflow = panel(page, "Workflow")
    workflow.get_by_label("Tags").fill("mail, daily,")
    workflow.get_by_label("Description").fill("Greets")
    workflow.get_by_label("Record values").select_option(label="Of failed runs only")
    workflow.get_by_role("switch", name="Template").check()

    expect(page.get_by_role("heading", level=1)).to_have_text("New name")
    expect_saved(page)
    found = draft(stack, slug)
    names = ("name", "tags", "description", "recordValues", "isTemplate")
    assert [found[each] for each in names] == [
        "New name",
        ["mail", "daily"],
        "Greets",
        "failed",
        True,
    ]


def test_the_estimate_stands_beside_run(page: Page, stack: RunningStack) -> None:
    slug = create(stack, "Estimated")
    page.route(
        "**/api/workflows/check",
        lambda route: route.fulfill(
            body=json.dumps(
                {
                    "problems": [],
                    "sockets": {},
                    "estimate": {"total": 12, "byNode": {}, "isPerItem": []},
                }
            )
        ),
    )
    open_editor(page, slug)

    expect(page.get_by_title("Estimate of one run")).to_have_text("≈ 12 credits")
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_visible()


@pytest.mark.parametrize("name", ["Publish", "Versions", "Deploy", "Workflow", "No problems"])
def test_every_panel_is_accessible_in_both_themes_and_on_a_phone(
    page: Page, stack: RunningStack, name: str
) -> None:
    slug = create(stack, f"Accessible {name}")
    stack.api("PUT", f"/api/workflows/{slug}", with_text("Two {{ name }}", f"Accessible {name}"))
    write(stack, slug, with_text("Three {{ name }}", f"Accessible {name}"))
    open_editor(page, slug)

    press(page, name)

    page.wait_for_timeout(500)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.evaluate(SETTLED)
        assert violations(page) == [], theme
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == [], "phone"
