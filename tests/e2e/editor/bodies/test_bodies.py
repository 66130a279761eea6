"""The graph inside of a node, as a canvas of its own."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.drafts import create, text_field, write
from tests.support.e2e.editor import card, cards, drafted, open_editor, press
from tests.support.e2e.items import for_each, greeted

pytestmark = pytest.mark.slow


def inside(document: dict[str, Any], node: str = "rows") -> dict[str, Any]:
    """Return the graph inside of a node."""
    (found,) = [each for each in document["nodes"] if each["id"] == node]
    return dict(found["data"]["body"])


def text_inside(document: dict[str, Any]) -> str:
    (found,) = [each for each in inside(document)["nodes"] if each["id"] == "text"]
    return str(found["data"]["text"])


def way(page: Page) -> Locator:
    """Return the way back to the workflow."""
    return page.get_by_role("navigation", name="Open graph")


def open_workflow(page: Page, stack: RunningStack, document: dict[str, Any]) -> str:
    slug = create(stack, str(document["name"]))
    write(stack, slug, document)
    open_editor(page, slug)
    return slug


def test_a_graph_opens_is_edited_and_left_again(page: Page, stack: RunningStack) -> None:
    slug = open_workflow(page, stack, for_each("Opened", greeted()))
    expect(way(page)).to_have_count(0)

    page.get_by_role("button", name="Open the graph of rows").click()

    expect(cards(page)).to_have_count(3)
    expect(way(page)).to_have_text("Openedrows, for each item")
    text_field(page).fill("Good day {{ word }}!")
    drafted(page, stack, slug, lambda found: text_inside(found) == "Good day {{ word }}!")

    way(page).get_by_role("button", name="Opened").click()

    expect(way(page)).to_have_count(0)
    expect(card(page, "result")).to_be_visible()
    page.go_back()
    expect(way(page)).to_contain_text("rows")
    page.get_by_role("button", name="Undo").click()
    drafted(page, stack, slug, lambda found: text_inside(found) == "Hello {{ word }}!")


def test_keys_lead_in_and_out(page: Page, stack: RunningStack) -> None:
    open_workflow(page, stack, for_each("By keys", greeted()))
    card(page, "rows").focus()

    press(page, "o")

    expect(way(page)).to_contain_text("rows")
    card(page, "text").focus()
    press(page, "Shift+O")
    expect(way(page)).to_have_count(0)
    expect(card(page, "rows")).to_be_visible()
