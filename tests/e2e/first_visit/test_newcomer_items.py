"""The way of a newcomer to a workflow that asks a model for each row, with errors kept apart."""

import json
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.e2e.drawing import add, begin_empty_workflow, settle, wire
from tests.support.e2e.editor import card

pytestmark = pytest.mark.slow
SECONDS = 240
"""Longest way from an empty canvas to the results."""
ROWS = ["a red mug", "[[stub fail=400]] a blue mug", "a green mug"]


def zoom_out(page: Page, times: int) -> None:
    for _ in range(times):
        page.get_by_role("button", name="Zoom Out").click()
        settle(page)


def draw_outside(page: Page) -> None:
    """Draw form, loop and output with two names."""
    form = add(page, "Request Input", (20, 60))
    form.get_by_label("Type of the new field").select_option("JSON")
    form.get_by_role("button", name="Add a field").click()
    page.keyboard.type("rows")
    zoom_out(page, 3)
    loop = add(page, "For Each", (300, 60))
    loop.get_by_label("On item error").select_option("skip")
    output = add(page, "Response Output", (560, 60))
    for place, name in enumerate(("answers", "errors"), 1):
        output.get_by_role("button", name="Add a field").click()
        output.get_by_label(f"Name of field {place}").fill(name)
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_role("button", name="Fit View").click()
    settle(page)
    wire(page, "requestInput", "rows", "forEach", "item")
    wire(page, "forEach", "results-out", "responseOutput", "answers")
    wire(page, "forEach", "errors-out", "responseOutput", "errors")


def draw_inside(page: Page) -> None:
    """Draw the model between the item and its result, and go back."""
    page.get_by_role("button", name="Open the graph of forEach").click()
    settle(page)
    add(page, "Assistant", (200, 400))
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_role("button", name="Fit View").click()
    settle(page)
    wire(page, "item", "item", "assistant", "prompt-in")
    wire(page, "assistant", "text-out", "result", "result-in")
    expect(page.get_by_role("button", name="No problems")).to_be_visible()
    page.get_by_role("navigation", name="Open graph").get_by_role("button").click()
    settle(page)


def test_a_newcomer_asks_a_model_for_each_row_and_keeps_errors_apart(
    visitor: Page, sign_in_link: Callable[[], str]
) -> None:
    page, began = visitor, time.monotonic()
    begin_empty_workflow(page, sign_in_link(), "Ask for each row")

    draw_outside(page)
    draw_inside(page)
    page.get_by_role("button", name="Run", exact=True).click()
    panel = page.get_by_role("region", name="Run")
    panel.get_by_label("rows").fill(json.dumps(ROWS))
    panel.get_by_role("button", name="Run the draft").click()

    expect(card(page, "forEach")).to_contain_text("3 items, 1 failed")
    result = panel.get_by_role("region", name="Result")
    expect(result).to_contain_text("answers: [2]")
    expect(result).to_contain_text("errors: [1]")
    expect(result).to_contain_text("index: 1")
    assert time.monotonic() - began < SECONDS
