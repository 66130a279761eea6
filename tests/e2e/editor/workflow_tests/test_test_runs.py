"""Tests of a workflow that run against its draft, with the values that failed expectations saw."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.workflows import greeting

pytestmark = pytest.mark.slow
JUDGE = {"workflow": "count-of-words", "inputs": {"name": "result.text"}}


def create(stack: RunningStack, document: dict[str, Any]) -> str:
    _, created = stack.api("POST", "/api/workflows", document)
    return str(created["slug"])


def put(stack: RunningStack, slug: str, name: str, *expect: str, **members: Any) -> None:
    body = {"inputs": {"name": "Grace"}, "expect": list(expect), **members}
    status, _ = stack.api("PUT", f"/api/workflows/{slug}/tests/{name}", body)
    assert status == 200


def open_tests(page: Page, slug: str) -> Locator:
    page.goto(f"/app/editor/{slug}?panel=tests")
    panel = page.get_by_role("region", name="Tests", exact=True)
    panel.get_by_role("listitem").first.wait_for()
    return panel


def test_a_changed_draft_fails_a_test_which_shows_the_values_that_it_saw(
    page: Page, stack: RunningStack
) -> None:
    slug = create(stack, greeting("Caught by a test"))
    put(stack, slug, "greets", 'result.text.startsWith("Hello")', "size(result.text) < 100")
    put(stack, slug, "is-free", "cost == 0")
    panel = open_tests(page, slug)
    summary = panel.get_by_role("status", name="Test run")
    panel.get_by_role("button", name="Run all tests").click()
    expect(summary).to_contain_text("All 2 passed")

    page.locator(".react-flow__node[data-id=text] header").click()
    page.get_by_label("Text", exact=True).fill("Good day {{ name }}!")
    page.get_by_role("button", name="Tests", exact=True).click()
    panel.get_by_role("button", name="Run all tests").click()

    expect(summary).to_contain_text("1 passed, 1 failed")
    failed = panel.get_by_role("listitem", name="greets")
    expectations = failed.get_by_role("list", name="Expectations of greets").locator("> li")
    expect(expectations.nth(0)).to_contain_text('result.text.startsWith("Hello")')
    expect(expectations.nth(0)).to_contain_text("Good day Grace!")
    expect(expectations.nth(0)).to_contain_text("failed")
    expect(expectations.nth(1)).to_contain_text("passed")
    page.reload()
    expect(summary).to_contain_text("1 passed, 1 failed")
    failed.get_by_role("link", name="Execution of greets").click()
    expect(page.get_by_text("Test run", exact=True)).to_be_visible()
    expect(page.get_by_text("Good day Grace!").first).to_be_visible()
    page.get_by_role("link", name=re.compile("^[0-9a-f]{8}$")).click()
    expect(summary).to_contain_text("1 passed, 1 failed")


def test_one_test_runs_and_its_last_verdict_leads_to_its_run(
    page: Page, stack: RunningStack
) -> None:
    slug = create(stack, greeting("One test runs"))
    put(stack, slug, "one", 'result.text == "Hello Grace!"')
    put(stack, slug, "other", 'result.text == "Hello Linus!"')
    panel = open_tests(page, slug)

    panel.get_by_role("button", name="Run one").click()

    summary = panel.get_by_role("status", name="Test run")
    expect(summary).to_contain_text("The test passed")
    summary.get_by_role("button", name="Clear").click()
    expect(summary).to_have_count(0)
    row = panel.get_by_role("listitem", name="one", exact=True)
    expect(row).to_contain_text("passed")
    row.get_by_role("button", name=re.compile("^draft|^version")).click()
    expect(summary).to_contain_text("The test passed")


def test_a_judge_gives_a_score_and_an_expectation_without_a_value_is_an_error(
    page: Page, stack: RunningStack
) -> None:
    judge = greeting("Count of words")
    judge["nodes"][1] = {
        **judge["nodes"][1],
        "type": "transform",
        "data": {"expression": "size(value.split(' '))"},
    }
    judge["edges"] = [
        {**judge["edges"][0], "targetHandle": "value-in"},
        {**judge["edges"][1], "sourceHandle": "value-out"},
    ]
    create(stack, judge)
    slug = create(stack, greeting("Judged"))
    put(stack, slug, "judged", "judge == 2", judge=JUDGE)
    put(stack, slug, "unknown", "result.nothing == 1")
    panel = open_tests(page, slug)

    panel.get_by_role("button", name="Run all tests").click()

    summary = panel.get_by_role("status", name="Test run")
    expect(summary).to_contain_text("1 passed, 1 error")
    judged = panel.get_by_role("listitem", name="judged")
    judged.get_by_role("button", name="judged", exact=True).click()
    expect(judged.get_by_role("link", name="Execution of the judge of judged")).to_be_visible()
    unknown = panel.get_by_role("listitem", name="unknown")
    expect(unknown.get_by_role("list", name="Expectations of unknown")).to_contain_text("error")
