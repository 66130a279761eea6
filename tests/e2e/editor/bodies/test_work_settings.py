"""Settings of nodes that run a part for each item."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.axe import violations
from tests.support.e2e.drafts import create, write
from tests.support.e2e.editor import drafted, open_editor, pick
from tests.support.e2e.items import for_each, greeted

pytestmark = pytest.mark.slow


def settings(page: Page) -> Locator:
    return page.get_by_role("region", name="Settings")


def test_work_for_each_item_is_drawn_or_called(page: Page, stack: RunningStack) -> None:
    slug = create(stack, "Either way")
    write(stack, slug, for_each("Either way", greeted()))
    called = create(stack, "Called for each")
    open_editor(page, slug)
    pick(page, "rows")
    expect(settings(page).get_by_label("Workflow", exact=True)).to_have_count(0)
    expect(settings(page).get_by_label("Over")).to_have_value("word")

    assert violations(page) == []

    settings(page).get_by_label("Another workflow").check()
    settings(page).get_by_label("Workflow", exact=True).select_option("Called for each")

    found = drafted(
        page, stack, slug, lambda found: found["nodes"][1]["data"].get("workflow") == called
    )
    assert "body" not in found["nodes"][1]["data"]
    settings(page).get_by_label("A part that is drawn here").check()
    found = drafted(page, stack, slug, lambda found: "body" in found["nodes"][1]["data"])
    assert "workflow" not in found["nodes"][1]["data"]
    expect(settings(page).get_by_role("button", name="Open the graph of rows")).to_be_visible()
