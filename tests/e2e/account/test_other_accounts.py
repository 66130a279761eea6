"""Accounts of other tiers: keys below their ceiling, and public workflows at their own cost."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import SignIn
from tests.support.acceptance.running_stack import RunningStack, until
from tests.support.e2e.workflows import greeting

pytestmark = pytest.mark.slow
RUN = """() => fetch("/api/workflows/counted/run", {
  method: "POST",
  headers: {"content-type": "application/json"},
  body: JSON.stringify({inputs: {name: "Ada"}}),
}).then((answer) => answer.text())"""


def test_what_is_above_the_ceiling_is_grey_and_says_why(sign_in_as: SignIn) -> None:
    page = sign_in_as("pro")
    page.goto("/app/api/keys")
    page.get_by_role("button", name="Create key").click()

    page.get_by_role("radio", name="Custom").check()

    expect(page.get_by_role("checkbox", name="Run every workflow")).to_be_enabled()
    expect(page.get_by_role("checkbox", name="Answer approvals")).to_be_enabled()
    expect(page.get_by_role("checkbox", name="Run every model")).to_be_disabled()
    expect(page.get_by_text("Not in the pro tier.").first).to_be_visible()


def test_an_account_without_keys_is_told_so(sign_in_as: SignIn) -> None:
    page = sign_in_as("free")

    page.goto("/app/api/keys")

    expect(page.get_by_role("button", name="Create key")).to_be_disabled()
    expect(page.get_by_text("Accounts of the free tier have no keys")).to_be_visible()


def test_a_new_account_begins_with_an_example(sign_in_as: SignIn) -> None:
    page = sign_in_as("creator")
    expect(page.get_by_text("No workflows yet")).to_be_visible()

    page.get_by_role("button", name="Create the first one").click()
    page.get_by_label("Name", exact=True).fill("Hello")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page).to_have_url(re.compile(r"/app/editor/hello"))
    page.goto(page.url.replace("/editor/", "/playground/"))
    page.get_by_role("button", name="Run").click()

    expect(page.get_by_role("region", name="Result")).to_contain_text("Hello Ada!")


def test_the_public_workflow_of_another_account_is_run(
    sign_in_as: SignIn, stack: RunningStack
) -> None:
    stack.api("POST", "/api/workflows", greeting("Shared greeting", publicPlayground=True))
    page = sign_in_as("business")
    page.goto("/app/playground/shared-greeting")
    expect(page.get_by_text("0 credits")).to_be_visible()
    expect(page.get_by_role("link", name="Edit")).to_have_count(0)

    page.get_by_role("button", name="Run").click()

    expect(page.get_by_role("region", name="Result")).to_contain_text("Hello Ada!")
    expect(page.get_by_role("region", name="Your runs").get_by_role("button")).to_have_count(1)


def test_what_is_left_of_the_limits_follows_the_runs(
    sign_in_as: SignIn, stack: RunningStack
) -> None:
    stack.api("POST", "/api/workflows", greeting("Counted", publicPlayground=True))
    page = sign_in_as("creator")
    page.goto("/app/api/keys")
    limits = page.get_by_label("Limits")
    expect(limits).to_contain_text(re.compile(r"Runs left this minute\s*(\d+) of \1"))

    def run_and_see() -> bool:
        # A window may end between the run and the look.
        page.evaluate(RUN)
        page.wait_for_timeout(500)
        return "all again in" in limits.inner_text()

    until(run_and_see)
