"""Running a draft on the canvas: the form, the nodes while they work, the result, failures."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.workflows import asking, greeting

pytestmark = pytest.mark.slow
COUNT = 40
WORDS = "[[stub pace=120]] " + " ".join(f"word{number}" for number in range(COUNT))
"""About five seconds."""
JOB = "[[stub job=4000]] A kettle"


def create(stack: RunningStack, document: dict[str, Any]) -> str:
    """Create a workflow and return its slug."""
    _, created = stack.api("POST", "/api/workflows", document)
    return str(created["slug"])


def open_run(page: Page, slug: str) -> Locator:
    """Open the editor and its panel for runs."""
    page.goto(f"/app/editor/{slug}")
    page.get_by_role("article", name="Response Output result").wait_for()
    page.get_by_role("button", name="Run", exact=True).click()
    return page.get_by_role("region", name="Run")


def node(page: Page, node_id: str) -> Locator:
    return page.locator(f".react-flow__node[data-id={node_id}]")


def run(panel: Locator) -> None:
    panel.get_by_role("button", name="Run the draft").click()


def test_a_change_is_saved_and_run_and_each_node_shows_what_it_gave(
    page: Page, stack: RunningStack
) -> None:
    slug = create(stack, greeting("Run a change"))
    panel = open_run(page, slug)
    node(page, "text").click()
    page.get_by_label("Text", exact=True).fill("Good day {{ name }}!")
    page.get_by_role("button", name="Run", exact=True).click()
    panel.get_by_label("Name").fill("Grace")

    run(panel)

    result = panel.get_by_role("region", name="Result")
    expect(result).to_contain_text("Good day Grace!")
    for each in ("form", "text", "result"):
        expect(node(page, each)).to_have_attribute("data-status", "completed")
    expect(node(page, "text")).to_contain_text("Completed")
    expect(node(page, "text")).to_contain_text("Good day Grace!")
    expect(page.get_by_role("status", name="Run")).to_have_text(re.compile("The run is completed"))
    _, published = stack.api("GET", f"/api/workflows/{slug}")
    assert published["nodes"][1]["data"]["text"] == "Hello {{ name }}!"


def test_a_text_grows_on_its_node_and_a_cancelled_run_says_so(
    page: Page, stack: RunningStack
) -> None:
    panel = open_run(page, create(stack, asking("Grow", "gpt-mini", "text-out", WORDS)))

    run(panel)

    expect(node(page, "model")).to_have_attribute("data-status", "processing")
    expect(node(page, "model").get_by_role("log")).to_contain_text("word1")
    expect(page.get_by_role("status", name="Run")).to_have_text("The run has started.")
    panel.get_by_role("button", name="Cancel").click()
    expect(node(page, "model")).to_have_attribute("data-status", "cancelled")
    expect(node(page, "model")).to_contain_text("Cancelled")
    expect(page.get_by_role("status", name="Run")).to_contain_text("The run is cancelled")


def test_a_job_shows_its_progress_its_picture_its_time_and_its_cost(
    page: Page, stack: RunningStack
) -> None:
    panel = open_run(page, create(stack, asking("Paint", "painter", "image-out", JOB)))

    run(panel)

    painter = node(page, "model")
    expect(painter.get_by_role("progressbar")).to_be_visible()
    expect(painter).to_contain_text("up to")
    expect(painter.get_by_role("img", name="Output")).to_be_visible()
    expect(painter).to_contain_text(re.compile(r"\d s · \d+ credit"))


def test_a_run_is_found_again_after_the_page_was_loaded_anew(
    page: Page, stack: RunningStack
) -> None:
    panel = open_run(page, create(stack, asking("Reload", "gpt-mini", "text-out", WORDS)))
    run(panel)
    expect(node(page, "model").get_by_role("log")).to_contain_text("word1")

    page.reload()

    expect(node(page, "model")).to_have_attribute("data-status", "processing")
    expect(node(page, "model")).to_have_attribute("data-status", "completed")
    expect(node(page, "model")).to_contain_text("word0")


def test_a_failure_leads_to_its_node_and_is_named_beside_the_canvas(
    page: Page, stack: RunningStack
) -> None:
    prompt = "[[stub status=400]] A kettle"
    panel = open_run(page, create(stack, asking("Fail", "gpt-mini", "text-out", prompt)))

    run(panel)

    expect(node(page, "model")).to_have_attribute("data-status", "failed")
    expect(page.get_by_role("status", name="Run")).to_contain_text("The run has failed at model")
    expect(node(page, "result")).not_to_have_attribute("data-status", "completed")
    expect(page.locator(".react-flow__node.selected")).to_have_attribute("data-id", "model")
    failure = panel.get_by_role("region", name="Result")
    expect(failure).to_contain_text("model: ")
    failure.get_by_role("button", name="Show the node").click()
    expect(page.get_by_role("region", name="Settings")).to_be_visible()


def test_inputs_are_checked_beside_their_field(page: Page, stack: RunningStack) -> None:
    document = greeting("Check inputs")
    del document["nodes"][0]["data"]["fields"][0]["default"]
    slug = create(stack, document)
    panel = open_run(page, slug)

    run(panel)

    name = panel.get_by_label("Name")
    expect(panel).to_contain_text("This is needed.")
    expect(name).to_be_focused()
    name.fill("Ada")
    name.press("Control+Enter")
    expect(panel.get_by_role("region", name="Result")).to_contain_text("Hello Ada!")


def test_a_sample_is_kept_with_the_workflow(page: Page, stack: RunningStack) -> None:
    slug = create(stack, greeting("Samples"))
    panel = open_run(page, slug)
    panel.get_by_label("Name").fill("Grace")
    panel.get_by_role("button", name="Keep as sample").click()
    panel.get_by_label("Name of the sample").fill("An admiral")
    panel.get_by_role("button", name="Keep", exact=True).click()
    expect(panel.get_by_label("Sample")).to_have_value("An admiral")
    expect(page.get_by_title("Revision")).to_have_text("Saved")

    panel = open_run(page, slug)

    expect(panel.get_by_label("Name")).to_have_value("Ada")
    panel.get_by_label("Sample").select_option("An admiral")
    expect(panel.get_by_label("Name")).to_have_value("Grace")
