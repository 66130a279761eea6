"""The graph inside of a node, as a canvas of its own."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.drafts import create, forget, text_field, write
from tests.support.e2e.editor import card, cards, drafted, open_editor, press
from tests.support.e2e.items import WORD, for_each, greeted

pytestmark = pytest.mark.slow


def inside(document: dict[str, Any], node: str = "rows") -> dict[str, Any]:
    """Return the graph inside of a node; an empty one where there is none."""
    bodies = [each["data"].get("body") for each in document["nodes"] if each["id"] == node]
    return dict(*bodies) or {"nodes": [], "edges": []}


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


def test_a_problem_inside_is_counted_outside_and_leads_there(
    page: Page, stack: RunningStack
) -> None:
    open_workflow(page, stack, for_each("Faulty inside", greeted("Hello {{ word }} {{ more }}!")))
    page.get_by_role("button", name="1 problem").click()
    expect(card(page, "rows").locator(".node-problems")).to_have_text("1")

    page.get_by_role("region", name="Checklist").get_by_role("button", name="text").click()

    expect(way(page)).to_contain_text("rows")
    expect(card(page, "text").locator(".node-problems")).to_have_text("1")
    expect(
        page.get_by_role("region", name="Settings").get_by_role("heading", level=2)
    ).to_have_text("Text Box")


def test_a_new_node_has_a_graph_to_draw_in(page: Page, stack: RunningStack) -> None:
    document = for_each("Empty inside", greeted())
    del document["nodes"][1], document["edges"][:]
    slug = open_workflow(page, stack, document)

    page.get_by_role("complementary", name="Nodes").get_by_role(
        "button", name="For Each", exact=True
    ).click()
    page.get_by_role("button", name="Draw the part").click()

    expect(cards(page)).to_have_count(2)
    page.get_by_role("complementary", name="Nodes").get_by_role(
        "button", name="Text Box", exact=True
    ).click()
    expect(cards(page)).to_have_count(3)
    found = drafted(page, stack, slug, lambda found: len(inside(found, "forEach")["nodes"]) == 3)
    assert [each["id"] for each in inside(found, "forEach")["nodes"]][2] == "textBox"


def test_what_two_people_change_inside_is_merged_and_named(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    document = for_each("For two inside", greeted())
    slug = open_workflow(page, stack, document)
    page.get_by_role("button", name="Open the graph of rows").click()
    page.context.set_offline(True)
    text_field(page).fill("Mine, {{ word }}!")
    item = document["nodes"][1]["data"]["body"]["nodes"][0]
    item["data"]["fields"] = [{**WORD, "label": "Theirs"}]
    write(stack, slug, document)

    page.context.set_offline(False)

    found = drafted(page, stack, slug, lambda found: text_inside(found) == "Mine, {{ word }}!")
    assert inside(found)["nodes"][0]["data"]["fields"][0]["label"] == "Theirs"
    expect(page.get_by_role("dialog", name="Conflict")).to_have_count(0)
    status, _ = stack.api("POST", f"/api/workflows/{slug}/publish", {"force": True})
    assert status == 200
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Publish", exact=True).click()
    changes = page.get_by_role("dialog").get_by_role("region", name="Inside of nodes")
    expect(changes.get_by_role("listitem")).to_contain_text("rows › Text Box text")
    forget(complaints)
