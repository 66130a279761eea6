"""Drawing on the canvas with a pointer."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.editor import (
    canvas,
    card,
    cards,
    drafted,
    drag,
    drop_on_canvas,
    ends,
    expect_toast,
    ids,
    middle,
    open_editor,
    pick,
    position,
    press,
    socket,
    wires,
)
from tests.support.e2e.workflows import greeting

pytestmark = pytest.mark.slow
CATEGORIES = [
    "Inputs",
    "Utilities",
    "Control",
    "LLMs",
    "Image Models",
    "Video Models",
    "Music Models",
    "Image Tools",
    "Custom",
    "Outputs",
]


@pytest.fixture
def slug(stack: RunningStack) -> str:
    """A workflow of its own: a form, a text and a result."""
    _, created = stack.api("POST", "/api/workflows", greeting("To draw"))
    return str(created["slug"])


def test_a_node_dragged_from_the_sidebar_is_wired_and_saved(
    page: Page, stack: RunningStack, slug: str
) -> None:
    open_editor(page, slug)

    page.get_by_role("complementary").get_by_role("button", name="List").drag_to(
        canvas(page), target_position={"x": 400, "y": 120}
    )
    node = page.get_by_role("article", name="List list")
    text = page.get_by_role("article", name="Text Box text")
    text.get_by_label("output, text-out").drag_to(node.get_by_label("input, items-in"))

    saved = drafted(page, stack, slug, lambda draft: len(draft["edges"]) == 3)
    assert ("text", "text-out", "list", "items-in") in ends(saved)


def test_the_sidebar_has_the_categories_and_finds_types_and_models(page: Page, slug: str) -> None:
    open_editor(page, slug)
    sidebar = page.get_by_role("complementary", name="Nodes")
    expect(sidebar.get_by_role("heading")).to_have_text(CATEGORIES)
    unavailable = sidebar.get_by_role("button", name="Image Text")
    expect(unavailable).to_be_disabled()
    expect(unavailable).to_have_accessible_description(re.compile("needs the extra local-ocr"))

    sidebar.get_by_role("searchbox", name="Search nodes").fill("haiku")
    expect(sidebar.get_by_role("heading")).to_have_text(["LLMs"])
    sidebar.get_by_role("button", name="Claude Haiku").press("Enter")

    expect(card(page, "assistant")).to_contain_text("Claude Haiku")


def test_a_double_click_adds_a_node_there(page: Page, stack: RunningStack, slug: str) -> None:
    open_editor(page, slug)
    canvas(page).dblclick(position={"x": 300, "y": 20})

    page.get_by_role("combobox", name="Add a node").fill("list")
    press(page, "Enter")

    expect(page.get_by_role("article", name="List list")).to_be_visible()
    x, _ = middle(card(page, "list"))
    left = (canvas(page).bounding_box() or {"x": 0.0})["x"]
    assert x - left == pytest.approx(300 + 120, abs=24)
    drafted(page, stack, slug, lambda draft: "list" in ids(draft))


def test_a_wire_dropped_on_the_canvas_offers_what_fits_and_is_wired(
    page: Page, stack: RunningStack, slug: str
) -> None:
    open_editor(page, slug)
    drop_on_canvas(page, socket(page, "form", "name"), 420, 150)
    options = page.get_by_role("option")
    expect(options.filter(has_text="Assistant")).to_be_visible()
    expect(options.filter(has_text="Resize Image")).to_have_count(0)
    expect(options.filter(has_text="Upload")).to_have_count(0)

    options.filter(has_text="Text Box").click()

    saved = drafted(page, stack, slug, lambda draft: len(draft["edges"]) == 3)
    assert ("form", "name", "textBox", "name") in ends(saved)
    expect(wires(page)).to_have_count(3)
    press(page, "Control+z")
    expect(cards(page)).to_have_count(3)
    expect(wires(page)).to_have_count(2)


def test_a_wire_dropped_on_a_card_takes_its_best_free_socket(
    page: Page, stack: RunningStack, slug: str
) -> None:
    open_editor(page, slug)
    page.get_by_role("button", name="Assistant").click()
    drag(page, middle(socket(page, "form", "name")), middle(card(page, "assistant")))

    saved = drafted(page, stack, slug, lambda draft: len(draft["edges"]) == 3)
    assert ("form", "name", "assistant", "prompt-in") in ends(saved)


def test_what_fits_lights_up_while_a_wire_is_drawn_and_a_refusal_names_both_types(
    page: Page, slug: str
) -> None:
    open_editor(page, slug)
    page.get_by_role("button", name="Resize Image").click()
    page.get_by_role("button", name="Close").click()
    start, end = socket(page, "form", "name"), socket(page, "imageResize", "image-in")
    page.mouse.move(*middle(start))
    page.mouse.down()
    page.mouse.move(*middle(canvas(page)), steps=3)
    expect(end).to_have_css("opacity", "0.2")
    expect(socket(page, "result", "result-in")).to_have_css("opacity", "1")
    page.mouse.move(*middle(end), steps=3)
    page.mouse.up()

    expect_toast(page, "‘name’ gives a text, and ‘image-in’ takes an image.")
    expect(wires(page)).to_have_count(2)
    expect(end).to_have_css("opacity", "1")


def test_several_nodes_move_together_and_back_with_one_undo(
    page: Page, stack: RunningStack, slug: str
) -> None:
    open_editor(page, slug)
    pick(page, "form")
    card(page, "text").locator("header").click(modifiers=["Control"])
    expect(page.locator(".react-flow__node.selected")).to_have_count(2)
    x, y = middle(card(page, "text").locator("header"))
    drag(page, (x, y), (x + 40, y + 120))

    moved = drafted(page, stack, slug, lambda draft: position(draft, "text")[1] > 0)
    assert position(moved, "form")[1] == position(moved, "text")[1] > 0
    assert position(moved, "result") == (640, 0)
    press(page, "Control+z")
    back = drafted(page, stack, slug, lambda draft: position(draft, "text")[1] == 0)
    assert position(back, "form") == (0, 0)


def test_an_area_is_chosen_with_shift(page: Page, slug: str) -> None:
    open_editor(page, slug)
    box, last = card(page, "form").bounding_box(), card(page, "text").bounding_box()
    assert box is not None
    assert last is not None
    page.keyboard.down("Shift")
    drag(
        page,
        (box["x"] - 20, box["y"] - 20),
        (last["x"] + last["width"] / 2, last["y"] + last["height"] / 2),
    )
    page.keyboard.up("Shift")

    expect(page.locator(".react-flow__node.selected")).to_have_count(2)


def test_the_menu_of_a_node_aligns_the_chosen_ones(
    page: Page, stack: RunningStack, slug: str
) -> None:
    open_editor(page, slug)
    x, y = middle(card(page, "text").locator("header"))
    drag(page, (x, y), (x, y + 160))
    drafted(page, stack, slug, lambda draft: position(draft, "text")[1] > 100)
    press(page, "Control+a")
    card(page, "form").locator("header").click(button="right")
    page.get_by_role("menu").get_by_role("menuitem", name="Align top").click()

    drafted(
        page, stack, slug, lambda draft: {position(draft, each)[1] for each in ids(draft)} == {0}
    )


def test_tidying_up_lays_the_nodes_out_along_the_wires(
    page: Page, stack: RunningStack, slug: str
) -> None:
    open_editor(page, slug)
    x, y = middle(card(page, "form").locator("header"))
    drag(page, (x, y), (x + 500, y + 200))
    drafted(page, stack, slug, lambda draft: position(draft, "form")[0] > 300)
    canvas(page).click(position={"x": 30, "y": 30})
    press(page, "l")

    def in_order(draft: dict[str, object]) -> bool:
        form, text, result = (position(draft, each)[0] for each in ("form", "text", "result"))
        return form + 240 < text and text + 240 < result

    drafted(page, stack, slug, in_order)


def test_a_wire_is_dragged_to_another_socket(page: Page, stack: RunningStack, slug: str) -> None:
    open_editor(page, slug)
    page.get_by_role("button", name="List").click()
    page.get_by_role("button", name="Close").click()
    wire = page.get_by_role("group", name="Wire from form, name")
    page.mouse.click(*middle(wire.locator(".wire")))
    anchor = wire.locator(".react-flow__edgeupdater-target")
    drag(page, middle(anchor), middle(socket(page, "list", "items-in")))

    saved = drafted(
        page, stack, slug, lambda draft: ("form", "name", "list", "items-in") in ends(draft)
    )
    assert ("form", "name", "text", "name") not in ends(saved)


def test_nodes_that_lie_in_one_place_are_laid_out_by_a_button(
    page: Page, stack: RunningStack
) -> None:
    graph = greeting("Without positions")
    for each in graph["nodes"]:
        del each["position"]
    _, created = stack.api("POST", "/api/workflows", graph)
    slug = str(created["slug"])
    open_editor(page, slug)
    offer = canvas(page).get_by_role("region", name="Layout")
    expect(offer).to_contain_text("The 3 nodes of this workflow lie in one place.")

    offer.get_by_role("button", name="Tidy up").click()

    expect(offer).to_be_hidden()
    laid = drafted(
        page,
        stack,
        slug,
        lambda draft: len({position(draft, "form"), position(draft, "text")}) == 2,
    )
    assert position(laid, "form")[0] < position(laid, "text")[0] < position(laid, "result")[0]
