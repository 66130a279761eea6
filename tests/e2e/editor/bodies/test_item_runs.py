"""Runs of items: their number on the card, those that failed, and each one on the graph inside."""

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.axe import violations
from tests.support.e2e.drafts import create, write
from tests.support.e2e.editor import card, open_editor
from tests.support.e2e.items import asked, for_each
from tests.support.e2e.workflows import greeting, node

pytestmark = pytest.mark.slow
SLOW = "[[stub delay=4000]] slowly"
FAILS = "[[stub fail=400]] not at all"


def start(page: Page, stack: RunningStack, name: str, words: list[str], **more: object) -> Locator:
    """Run a model for each word; return the card of the node."""
    slug = create(stack, name)
    write(stack, slug, for_each(name, asked(), onItemError="skip", **more))
    open_editor(page, slug)
    page.get_by_role("button", name="Run", exact=True).click()
    panel = page.get_by_role("region", name="Run")
    panel.get_by_label("Words").fill(json.dumps(words))
    panel.get_by_role("button", name="Run the draft").click()
    return card(page, "rows")


def items(page: Page) -> Locator:
    """Return the list of items in the window of the node's values."""
    return page.get_by_role("dialog").get_by_role("region", name="Items")


def test_a_card_counts_items_and_one_that_failed_is_shown_on_the_graph_inside(
    page: Page, stack: RunningStack
) -> None:
    rows = start(page, stack, "Count items", ["one", FAILS, SLOW, "four"], concurrency=2)
    expect(rows).to_have_attribute("data-status", "processing")
    expect(rows).to_contain_text("3 of 4 items, 1 failed")

    expect(rows).to_have_attribute("data-status", "completed")
    expect(rows).to_contain_text("4 items, 1 failed")
    rows.get_by_title("Show the values").click()
    expect(items(page).get_by_role("heading")).to_have_text("4 items, 1 failed")
    expect(items(page).get_by_role("listitem")).to_have_count(1)
    assert violations(page) == []
    items(page).get_by_role("button", name="Item 1", exact=True).click()

    expect(page.get_by_role("navigation", name="Open graph")).to_contain_text("rows")
    item = page.get_by_role("region", name="Item", exact=True)
    expect(item).to_contain_text("Item 1")
    expect(item).to_contain_text("Failed")
    expect(card(page, "model")).to_have_attribute("data-status", "failed")
    expect(card(page, "item")).to_have_attribute("data-status", "completed")
    expect(item.get_by_role("link", name="Its page")).to_have_attribute(
        "href", re.compile("/app/executions/")
    )
    item.get_by_role("button", name="Clear").click()
    expect(card(page, "model")).not_to_have_attribute("data-status", "failed")


def test_items_are_chosen_by_status_and_come_page_by_page(page: Page, stack: RunningStack) -> None:
    words = [FAILS if number % 30 == 0 else f"word {number}" for number in range(60)]
    rows = start(page, stack, "Many items", words, concurrency=20)
    expect(rows).to_have_attribute("data-status", "completed", timeout=60_000)
    rows.get_by_title("Show the values").click()
    expect(items(page).get_by_role("listitem")).to_have_count(2)

    items(page).get_by_role("button", name="All 60").click()

    expect(items(page).get_by_role("listitem")).to_have_count(50)
    items(page).get_by_role("button", name="Show more").click()
    expect(items(page).get_by_role("listitem")).to_have_count(60)
    expect(items(page).get_by_role("listitem").nth(59)).to_contain_text("Item 59")


def test_an_item_of_an_item_is_reached_step_by_step(page: Page, stack: RunningStack) -> None:
    inner = for_each("Inner", asked())
    inner["nodes"][0]["data"]["fields"][0]["name"] = "word"
    inner["edges"][0]["sourceHandle"] = "word"
    slug = create(stack, "Nested")
    write(stack, slug, for_each("Nested", {"nodes": inner["nodes"], "edges": inner["edges"]}))
    open_editor(page, slug)
    page.get_by_role("button", name="Run", exact=True).click()
    panel = page.get_by_role("region", name="Run")
    panel.get_by_label("Words").fill(json.dumps([["a"], ["b", "c"]]))
    panel.get_by_role("button", name="Run the draft").click()
    expect(card(page, "rows")).to_have_attribute("data-status", "completed")
    for item in ("Item 1", "Item 0"):
        card(page, "rows").get_by_title("Show the values").click()
        items(page).get_by_role("button", name=item, exact=True).click()
        expect(page.get_by_role("region", name="Item", exact=True)).to_contain_text(item)

    expect(page.get_by_role("navigation", name="Open graph").get_by_role("listitem")).to_have_count(
        3
    )
    expect(card(page, "model")).to_contain_text("(stub) b")
    page.reload()
    expect(card(page, "model")).to_contain_text("(stub) b")
    assert violations(page) == []


def test_the_run_of_a_called_workflow_is_a_step_away(page: Page, stack: RunningStack) -> None:
    create(stack, "Greets")
    document = greeting("Calls the greeting")
    document["nodes"][1] = node("text", "subWorkflow", 1, workflow="greets")
    document["edges"][1]["sourceHandle"] = "result-out"
    slug = create(stack, "Calls the greeting")
    write(stack, slug, document)
    open_editor(page, slug)
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("region", name="Run").get_by_role("button", name="Run the draft").click()
    expect(card(page, "text")).to_have_attribute("data-status", "completed")
    expect(card(page, "text")).to_contain_text("Hello Ada!")

    card(page, "text").get_by_title("Show the values").click()
    items(page).get_by_role("link", name="Its run").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("greets")
    expect(page.get_by_role("link", name="The node text")).to_be_visible()
