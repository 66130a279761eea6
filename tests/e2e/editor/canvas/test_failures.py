"""Failures on the canvas: the output of the error, and values to go on with."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.editor import (
    card,
    drafted,
    drop_on_canvas,
    ends,
    open_editor,
    pick,
    press,
    socket,
    wires,
)
from tests.support.e2e.node_settings import await_settings, node, open_settings, save_draft, wire

pytestmark = pytest.mark.slow
URL = "http://127.0.0.1:9/closed"


@pytest.fixture
def slug(stack: RunningStack) -> str:
    """A call whose answer is the result, and a text beside it."""
    nodes = [node("call", "httpRequest", url=URL), node("text", "textBox", text="{{ why }}")]
    nodes.append(node("result", "responseOutput"))
    return save_draft(stack, "To fail", nodes, wire("call.response-out", "result.result-in"))


def test_the_error_leaves_a_card_below_and_its_wire_is_red(
    page: Page, stack: RunningStack, slug: str
) -> None:
    open_editor(page, slug)
    error, answer = socket(page, "call", "error-out"), socket(page, "call", "response-out")
    bounds = card(page, "call").bounding_box()
    place, other = error.bounding_box(), answer.bounding_box()
    assert bounds and place and other
    assert place["y"] + place["height"] / 2 == pytest.approx(bounds["y"] + bounds["height"], abs=4)
    assert place["x"] + place["width"] < other["x"]
    expect(socket(page, "result", "error-out")).to_have_count(0)
    red = error.evaluate("(at) => getComputedStyle(at).backgroundColor")
    assert red != answer.evaluate("(at) => getComputedStyle(at).backgroundColor")

    error.drag_to(socket(page, "text", "why"))

    saved = drafted(page, stack, slug, lambda draft: len(draft["edges"]) == 2)
    assert ("call", "error-out", "text", "why") in ends(saved)
    drawn = page.get_by_label("Wire from call, error-out, to text, why").locator("path.wire")
    assert drawn.evaluate("(at) => getComputedStyle(at).stroke") == red


def test_nothing_is_wired_to_an_error_by_itself(page: Page, stack: RunningStack, slug: str) -> None:
    """A wire that is dropped on a card begins at one of its values."""
    open_editor(page, slug)

    socket(page, "text", "why").drag_to(card(page, "call").locator("header"))

    saved = drafted(page, stack, slug, lambda draft: len(draft["edges"]) == 2)
    assert ("call", "response-out", "text", "why") in ends(saved)


def test_an_error_is_wired_with_the_keyboard(page: Page, stack: RunningStack, slug: str) -> None:
    open_editor(page, slug)
    pick(page, "text")
    press(page, "w")
    page.get_by_role("combobox", name="Wire text of text to").fill("error")
    press(page, "Enter")
    page.get_by_role("combobox", name="Wire error of text to").fill("result")
    press(page, "Enter")

    saved = drafted(page, stack, slug, lambda draft: len(draft["edges"]) == 2)
    assert ("text", "error-out", "result", "result-in") in ends(saved)


def test_a_node_for_the_error_is_added_at_its_wire(
    page: Page, stack: RunningStack, slug: str
) -> None:
    open_editor(page, slug)

    drop_on_canvas(page, socket(page, "call", "error-out"), 420, 500)
    page.get_by_role("option").filter(has_text="Transform").click()

    saved = drafted(page, stack, slug, lambda draft: len(draft["edges"]) == 2)
    assert ("call", "error-out", "transform", "value-in") in ends(saved)
    expect(wires(page)).to_have_count(2)


def test_fallback_values_have_a_control_for_each_output(
    page: Page, stack: RunningStack, slug: str
) -> None:
    panel = open_settings(page, slug, "call")
    panel.get_by_text("More", exact=True).click()
    expect(panel.get_by_role("group", name="Fallback")).to_have_count(0)
    panel.get_by_label("On error").select_option("fallback")
    group = panel.get_by_role("group", name="Fallback")
    expect(group.locator("label")).to_have_text(["response", "status"])

    group.get_by_label("response").fill('{"rows": []}')
    data = {"url": URL, "onError": "fallback", "fallback": {"response-out": {"rows": []}}}
    await_settings(stack, slug, "call", data)

    group.get_by_label("response").fill("")
    await_settings(stack, slug, "call", {"url": URL, "onError": "fallback"})


def test_a_run_shows_the_values_that_a_failed_node_gave(page: Page, stack: RunningStack) -> None:
    call = node("call", "httpRequest", url=URL, onError="fallback")
    call["data"]["fallback"] = {"response-out": "nothing today"}
    nodes = [call, node("result", "responseOutput")]
    edge = wire("call.response-out", "result.result-in")
    open_editor(page, save_draft(stack, "Falls back", nodes, edge))

    press(page, "Control+Enter")
    run = page.get_by_role("status", name="Run")
    expect(run).to_contain_text("credit")

    expect(run).to_contain_text("ompleted")
    expect(card(page, "call")).to_contain_text("ailed")
