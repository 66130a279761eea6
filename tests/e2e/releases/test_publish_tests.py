"""The dialog of publishing says the verdict of the tests on the draft, and asks for it."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack, until
from tests.support.e2e.axe import violations
from tests.support.e2e.drafts import expect_saved, forget, state, text_field
from tests.support.e2e.editor import open_editor
from tests.support.releases.workflows import versions

pytestmark = pytest.mark.slow


def run_tests(stack: RunningStack, slug: str) -> Any:
    """Run all tests of the draft, and return their verdict on it."""
    path = f"/api/workflows/{slug}/tests"
    status, begun = stack.api("POST", f"{path}/run", {"version": "draft"})
    assert status == 202, begun
    return until(
        lambda: stack.api("GET", path)[1]["draft"],
        lambda found: found and found["testRunId"] == begun["testRunId"],
    )


def set_test(stack: RunningStack, slug: str, name: str, text: str) -> None:
    """Set a test that expects a text in the result."""
    test = {"inputs": {"name": "Ada"}, "expect": [f'result.text.contains("{text}")']}
    status, answer = stack.api("PUT", f"/api/workflows/{slug}/tests/{name}", test)
    assert status in (200, 201), answer


def open_dialog(page: Page) -> Locator:
    page.get_by_role("button", name="Publish", exact=True).click()
    return page.get_by_role("dialog", name="Publish version 2")


def test_a_draft_whose_tests_fail_is_published_only_deliberately(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    slug = versions(stack, "Tested prompt", "Dear {{ name }}")
    set_test(stack, slug, "names-the-reader", "Ada")
    set_test(stack, slug, "is-polite", "Dear")
    open_editor(page, slug)
    text_field(page).fill("Hey {{ name }}")
    expect_saved(page)

    dialog = open_dialog(page)
    tests = dialog.get_by_role("region", name="Tests")
    expect(tests).to_contain_text("The 2 tests never ran on a draft.")
    assert run_tests(stack, slug)["failed"] == 1
    expect(tests).to_contain_text("1 of 2 tests did not pass on this draft: is-polite")
    assert violations(page) == []
    dialog.get_by_role("button", name="Publish now").click()
    expect(dialog.get_by_role("alert")).to_contain_text("1 of 2 tests did not pass")
    tests.get_by_role("checkbox").uncheck()
    dialog.get_by_role("button", name="Publish now").click()

    expect(state(page)).to_contain_text("Published · version 2")
    forget(complaints)


def test_a_draft_whose_tests_passed_is_published(page: Page, stack: RunningStack) -> None:
    slug = versions(stack, "Tested well", "Dear {{ name }}")
    set_test(stack, slug, "names-the-reader", "Ada")
    open_editor(page, slug)
    text_field(page).fill("Good day {{ name }}")
    expect_saved(page)
    assert run_tests(stack, slug)["passed"]

    dialog = open_dialog(page)
    expect(dialog.get_by_role("region", name="Tests")).to_contain_text(
        "The test passed on this draft"
    )
    dialog.get_by_role("button", name="Show the tests").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("region", name="Tests")).to_contain_text("names-the-reader")
    open_dialog(page).get_by_role("button", name="Publish now").click()

    expect(state(page)).to_contain_text("Published · version 2")
