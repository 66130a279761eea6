"""Nodes and fields that were just added: where they stand, and that one can go on with them."""

from itertools import combinations

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.editor import canvas, card, cards, drafted, ids, open_editor, press
from tests.support.e2e.workflows import greeting

pytestmark = pytest.mark.slow


@pytest.fixture
def slug(stack: RunningStack) -> str:
    """A workflow of its own: a form, a text and a result."""
    _, created = stack.api("POST", "/api/workflows", greeting("To add"))
    return str(created["slug"])


def box(place: Locator) -> FloatRect:
    found = place.bounding_box()
    assert found is not None
    return found


def overlaps(page: Page) -> list[tuple[str, str]]:
    """Return the pairs of nodes that lie on each other."""
    found = {str(each.get_attribute("data-id")): box(each) for each in cards(page).all()}
    return [
        (one, other)
        for (one, a), (other, b) in combinations(found.items(), 2)
        if a["x"] < b["x"] + b["width"]
        and b["x"] < a["x"] + a["width"]
        and a["y"] < b["y"] + b["height"]
        and b["y"] < a["y"] + a["height"]
    ]


def expect_reached(page: Page, node: str) -> None:
    """Expect that a node is chosen alone, has the focus, and is seen whole."""
    expect(card(page, node)).to_be_focused()
    expect(page.locator(".react-flow__node.selected")).to_have_count(1)
    expect(page.locator(".react-flow__node.selected")).to_have_attribute("data-id", node)
    outer, inner = box(canvas(page)), box(card(page, node))
    assert outer["x"] <= inner["x"]
    assert outer["y"] <= inner["y"]
    assert inner["x"] + inner["width"] <= outer["x"] + outer["width"]
    assert inner["y"] + inner["height"] <= outer["y"] + outer["height"]


def test_nodes_added_by_key_stand_free_and_have_the_focus(page: Page, slug: str) -> None:
    open_editor(page, slug)

    for number, node in enumerate(("transform", "transform-2", "transform-3"), 4):
        press(page, "/")
        page.keyboard.type("transform")
        expect(page.get_by_role("option", name="Transform").first).to_be_visible()
        press(page, "Enter")
        expect(cards(page)).to_have_count(number)
        expect_reached(page, node)

    assert overlaps(page) == []
    press(page, "Delete")
    expect(cards(page)).to_have_count(5)
    expect(card(page, "transform-3")).to_have_count(0)


def test_nodes_added_by_a_click_stand_free_and_have_the_focus(
    page: Page, stack: RunningStack, slug: str
) -> None:
    open_editor(page, slug)
    sidebar = page.get_by_role("complementary", name="Nodes")

    for label, node in (("List", "list"), ("Assistant", "assistant"), ("List", "list-2")):
        sidebar.get_by_role("button", name=label, exact=True).click()
        expect_reached(page, node)

    assert overlaps(page) == []
    press(page, "F2")
    page.get_by_label("Name of the node").fill("words")
    press(page, "Enter")
    drafted(page, stack, slug, lambda draft: "words" in ids(draft))


def test_what_is_typed_is_sought_in_names_before_descriptions(page: Page, slug: str) -> None:
    open_editor(page, slug)

    press(page, "/")
    page.keyboard.type("output")

    expect(page.get_by_role("option").first).to_contain_text("Response Output")
    expect(page.get_by_role("option", name="List")).to_be_visible()


def test_added_fields_have_names_of_their_own_and_the_cursor_in_them(
    page: Page, stack: RunningStack, slug: str
) -> None:
    open_editor(page, slug)
    card(page, "form").locator("header").click()
    add = page.get_by_role("region", name="Settings").get_by_role("button", name="Add a field")

    for name in ("field", "field_2", "field_3"):
        add.click()
        expect(page.locator(":focus")).to_have_value(name)
    page.keyboard.type("product")
    add.click()
    page.keyboard.type("style")

    def has_all(draft: dict[str, object]) -> bool:
        (form, *_) = draft["nodes"]  # type: ignore[misc]
        names = [field["name"] for field in form["data"]["fields"]]  # type: ignore[index]
        return names == ["name", "field", "field_2", "product", "style"]

    drafted(page, stack, slug, has_all)


def test_the_first_node_stays_where_it_was_dropped_and_a_model_is_chosen(
    page: Page, stack: RunningStack
) -> None:
    empty = {"name": "First of all", "nodes": [], "edges": [], "draft": True}
    _, created = stack.api("POST", "/api/workflows", empty)
    page.goto(f"/app/editor/{created['slug']}")
    palette = page.get_by_role("complementary", name="Nodes")
    palette.get_by_role("button", name="Assistant", exact=True).drag_to(
        canvas(page), target_position={"x": 100, "y": 80}
    )

    expect(card(page, "assistant").locator(".node-model")).to_be_visible()
    page.wait_for_timeout(500)
    outer, inner = box(canvas(page)), box(card(page, "assistant"))
    assert abs(inner["x"] - outer["x"] - 60) < 12
    assert abs(inner["y"] - outer["y"] - 60) < 12
    document = drafted(page, stack, created["slug"], lambda found: bool(found["nodes"]))
    assert document["nodes"][0]["data"]["model"]


def test_the_panel_keeps_a_field_with_the_focus_above_its_actions(
    page: Page, stack: RunningStack
) -> None:
    nodes = [{"id": "call", "type": "httpRequest", "position": {"x": 0, "y": 0}, "data": {}}]
    document = {"name": "Long settings", "nodes": nodes, "edges": [], "draft": True}
    _, created = stack.api("POST", "/api/workflows", document)
    open_editor(page, created["slug"], "call")
    card(page, "call").locator("header").click()
    panel = page.get_by_role("region", name="Settings")

    panel.get_by_label("URL", exact=True).focus()
    for _ in range(12):
        press(page, "Tab")
        focused = page.evaluate("""() => {
          const field = document.activeElement;
          if (!field.closest(".side-panel .stack") || field.closest(".node-actions")) return null;
          const actions = document.querySelector(".side-panel > .node-actions");
          return [field.getBoundingClientRect().bottom, actions.getBoundingClientRect().top];
        }""")
        assert focused is None or focused[0] <= focused[1] + 1
