"""Tests of a workflow in its editor: written with help, made of runs, deleted and brought back."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.workflows import asking, greeting

pytestmark = pytest.mark.slow


def create(stack: RunningStack, document: dict[str, Any]) -> str:
    _, created = stack.api("POST", "/api/workflows", document)
    return str(created["slug"])


def run(stack: RunningStack, slug: str, **inputs: Any) -> str:
    """Run a workflow to its end and return the id of the execution."""
    _, ended = stack.api("POST", f"/api/workflows/{slug}/run", {"inputs": inputs})
    return str(ended["executionId"])


def open_tests(page: Page, slug: str) -> Locator:
    page.goto(f"/app/editor/{slug}?panel=tests")
    return page.get_by_role("region", name="Tests", exact=True)


def saved(stack: RunningStack, slug: str, name: str) -> dict[str, Any]:
    status, test = stack.api("GET", f"/api/workflows/{slug}/tests/{name}")
    assert status == 200
    return dict(test)


def test_a_test_is_written_tried_over_the_last_run_and_saved(
    page: Page, stack: RunningStack
) -> None:
    slug = create(stack, greeting("Write a test"))
    run(stack, slug, name="Grace")
    panel = open_tests(page, slug)
    panel.get_by_role("button", name="New test").click()
    dialog = page.get_by_role("dialog", name="New test")
    dialog.get_by_role("button", name="Save test").click()
    expect(dialog.get_by_label("Name").first).to_have_accessible_description(re.compile("letter"))
    dialog.get_by_label("Name").first.fill("greets-grace")
    dialog.get_by_label("Name").nth(1).fill("Grace")
    first = dialog.get_by_label("Expectation 1", exact=True)
    expect(first).to_have_accessible_description(re.compile("True for the run"))

    dialog.get_by_role("button", name="Add expectation").click()
    second = dialog.get_by_label("Expectation 2", exact=True)
    second.press_sequentially("result.te")
    second.press("Enter")
    second.press_sequentially(' == "Hello Ada!"')
    expect(second).to_have_accessible_description(re.compile("False for the run"))
    second.fill("size(result.text)")
    expect(second).to_have_accessible_description(re.compile("gives 12, and an expectation"))
    second.fill('result.text == "Hello Grace!"')
    expect(second).to_have_accessible_description(re.compile("True for the run"))
    dialog.get_by_role("button", name="Save test").click()

    expect(panel.get_by_role("listitem", name="greets-grace")).to_contain_text("2 expectations")
    test = saved(stack, slug, "greets-grace")
    assert test["inputs"] == {"name": "Grace"}
    assert test["expect"] == ['status == "completed"', 'result.text == "Hello Grace!"']


def test_an_expression_with_a_fault_is_refused_by_name(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    slug = create(stack, greeting("Fault in a test"))
    panel = open_tests(page, slug)
    panel.get_by_role("button", name="New test").click()
    dialog = page.get_by_role("dialog", name="New test")
    dialog.get_by_label("Name").first.fill("broken")
    dialog.get_by_label("Expectation 1", exact=True).fill("result +")

    dialog.get_by_role("button", name="Save test").click()

    expect(dialog.get_by_role("alert")).to_contain_text("expect")
    assert stack.api("GET", f"/api/workflows/{slug}/tests")[1]["rows"] == []
    complaints[:] = [each for each in complaints if "400" not in each]


def test_an_execution_becomes_a_test_with_its_model_pinned(page: Page, stack: RunningStack) -> None:
    slug = create(stack, asking("Add a run", "gpt-mini", "text-out", "A mug"))
    execution = run(stack, slug, prompt="A vase")
    page.goto(f"/app/executions/{execution}")
    page.get_by_role("link", name="Add as a test").click()
    dialog = page.get_by_role("dialog", name="Add a run as a test")
    expect(dialog.get_by_label("Name")).to_have_value("a-vase")
    expect(dialog.get_by_label("Prompt")).to_have_value("A vase")

    dialog.get_by_role("button", name="Pin model as in the run").click()
    expect(dialog.get_by_role("button", name="Unpin model")).to_be_visible()
    dialog.get_by_role("button", name=re.compile("^Expect cost")).click()
    dialog.get_by_role("button", name="Save test").click()

    panel = page.get_by_role("region", name="Tests", exact=True)
    expect(panel.get_by_role("listitem", name="a-vase")).to_contain_text("1 pinned")
    test = saved(stack, slug, "a-vase")
    assert test["inputs"]["prompt"] == "A vase"
    assert set(test["pinned"]) == {"model"}
    assert test["expect"][1].startswith("cost <= ")


def test_a_run_of_the_draft_becomes_a_test_that_is_edited_deleted_and_brought_back(
    page: Page, stack: RunningStack
) -> None:
    slug = create(stack, greeting("Edit a test"))
    page.goto(f"/app/editor/{slug}?panel=run")
    page.get_by_label("Name", exact=True).fill("Linus")
    page.get_by_role("button", name="Run the draft").click()
    page.get_by_role("button", name="Add as a test").click()
    dialog = page.get_by_role("dialog", name="Add a run as a test")
    dialog.get_by_role("button", name='Expect result.text == "Hello Linus!"').click()
    dialog.get_by_role("button", name="Save test").click()
    panel = page.get_by_role("region", name="Tests", exact=True)

    panel.get_by_role("button", name="Edit linus").click()
    dialog = page.get_by_role("dialog", name='Test "linus"')
    dialog.get_by_role("button", name="Remove expectation 1").click()
    dialog.get_by_role("button", name="Save test").click()
    expect(panel.get_by_role("listitem", name="linus")).to_contain_text("1 expectation")
    assert saved(stack, slug, "linus")["expect"] == ['result.text == "Hello Linus!"']

    panel.get_by_role("button", name="Delete linus").click()
    expect(panel.get_by_role("listitem", name="linus")).to_have_count(0)
    page.get_by_role("button", name="Undo", exact=True).last.click()
    expect(panel.get_by_role("listitem", name="linus")).to_be_visible()
    assert saved(stack, slug, "linus")["inputs"] == {"name": "Linus"}
