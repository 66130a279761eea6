"""The way of a newcomer from an empty canvas to a workflow that is published and called."""

import json
import os
import re
import subprocess
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.e2e.drawing import add, begin_empty_workflow, settle, wire
from tests.support.e2e.editor import card

pytestmark = pytest.mark.slow
SECONDS = 300
"""Longest way from an empty canvas to the answer of the first call."""


def draw(page: Page) -> None:
    """Draw form, prompt, images, captions and output; the prompt is forgotten."""
    form = add(page, "Request Input", (20, 40))
    form.get_by_label("Type of the new field").select_option("Text")
    form.get_by_role("button", name="Add a field").click()
    page.keyboard.type("product")
    for _ in range(3):
        page.get_by_role("button", name="Zoom Out").click()
        settle(page)
    text = add(page, "Text Box", (30, 40))
    text.get_by_label("Text", exact=True).fill("A photograph of {{ product }}")
    images = add(page, "Image Generator", (30, 300))
    images.get_by_label("Count").fill("3")
    add(page, "Caption Image", (480, 40))
    add(page, "Response Output", (220, 470))
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_role("button", name="Fit View").click()
    settle(page)

    wire(page, "requestInput", "product", "textBox", "product")
    wire(page, "textBox", "text-out", "imageGenerator", "prompt-in")
    wire(page, "imageGenerator", "image-out", "imageCaption", "image-in")
    wire(page, "requestInput", "product", "imageCaption", "text-in")
    wire(page, "imageCaption", "image-out", "responseOutput", "result-in")


def choose_model(page: Page) -> None:
    """Choose another model in the place of the one that the node has begun with."""
    expect(page.get_by_role("button", name="No problems")).to_be_visible()
    page.locator("[data-id=imageGenerator] header").click()
    model = page.get_by_role("region", name="Settings").get_by_role("combobox", name="Model")
    expect(model).not_to_have_value("")
    model.fill("gpt-image")
    model.press("Enter")
    expect(page.locator("[data-id=imageGenerator] .node-model")).to_have_text(re.compile("GPT"))


def run(page: Page) -> None:
    """Run the draft, and see three pictures."""
    page.get_by_role("button", name="Run", exact=True).click()
    panel = page.get_by_role("region", name="Run")
    panel.get_by_label("product").fill("a red mug")
    panel.get_by_role("button", name="Run the draft").click()
    expect(panel.get_by_role("region", name="Result").get_by_role("img")).to_have_count(3)
    for node in ("requestInput", "textBox", "imageGenerator", "imageCaption", "responseOutput"):
        expect(card(page, node)).to_have_attribute("data-status", "completed")


def publish(page: Page) -> str:
    """Publish the workflow; return the curl of the deploy panel."""
    page.get_by_role("button", name="Publish", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Publish now").click()
    expect(page.get_by_role("status", name="State of the workflow")).to_contain_text(
        "Published · version 1"
    )
    page.get_by_role("button", name="Deploy", exact=True).click()
    deploy = page.get_by_role("region", name="Deploy")
    return deploy.locator("pre code").filter(has_text="curl").inner_text()


def make_key(page: Page) -> str:
    """Make a key; return its secret."""
    page.get_by_role("link", name="API keys", exact=True).click()
    page.get_by_role("button", name="Create key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Shop")
    dialog.get_by_role("button", name="Create", exact=True).click()
    secret = page.get_by_role("region", name="The new key").inner_text()
    page.get_by_role("button", name="Done").click()
    return secret


def test_a_newcomer_draws_runs_mends_publishes_and_calls_a_workflow(
    visitor: Page, sign_in_link: Callable[[], str]
) -> None:
    page, began = visitor, time.monotonic()
    begin_empty_workflow(page, sign_in_link(), "Product images")

    draw(page)
    choose_model(page)
    run(page)
    curl = publish(page)
    environ = {**os.environ, "HEADRACE_API_KEY": make_key(page)}
    call = subprocess.run(["bash", "-c", curl], env=environ, check=True, capture_output=True)

    assert len(json.loads(call.stdout)["result"]["images"]) == 3
    assert time.monotonic() - began < SECONDS
