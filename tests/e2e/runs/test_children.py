"""Executions that a node of another one has begun: below it in time, in its panel, and back."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.axe import violations
from tests.support.e2e.items import asked, for_each

pytestmark = pytest.mark.slow


def test_an_execution_shows_its_items_and_an_item_leads_back(
    page: Page, stack: RunningStack
) -> None:
    document = for_each("Items in time", asked(), onItemError="null")
    _, created = stack.api("POST", "/api/workflows", document)
    words = ["one", "[[stub fail=400]] two", "three"]
    _, answer = stack.api(
        "POST", f"/api/workflows/{created['slug']}/run", {"inputs": {"words": words}}
    )
    root = answer["executionId"]
    page.goto(f"/app/executions/{root}")
    table = page.get_by_role("table", name="Nodes in time")
    expect(table.get_by_role("link", name="Item")).to_have_count(3)
    table.get_by_role("button", name="rows: 3 items, 1 failed").click()
    expect(table.get_by_role("link", name="Item")).to_have_count(0)

    table.get_by_role("button", name="rows completed").click()
    listed = page.get_by_role("region", name="Node rows").get_by_role("region", name="Items")
    expect(listed.get_by_role("listitem")).to_have_count(1)
    assert violations(page) == []
    listed.get_by_role("link", name="Item 1").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("failed")
    expect(page.get_by_text("Item 1 of rows in")).to_be_visible()
    expect(page.get_by_role("button", name="Retry")).to_have_count(0)
    panel = page.get_by_role("region", name="Node model")
    expect(panel.get_by_role("link", name="Open in the editor")).to_have_attribute(
        "href",
        f"/app/editor/{created['slug']}?in=rows&item={page.url.rpartition('/')[2]}&node=model",
    )
    page.get_by_role("link", name="All items of rows").click()
    expect(page).to_have_url(f"{stack.url}/app/executions/{root}?node=rows")
