"""The way of a newcomer, with the printed link and a browser alone; the short set of the CI."""

import os
import subprocess
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.e2e.axe import violations
from tests.support.e2e.receiver import receiving

pytestmark = pytest.mark.slow
FIRST_RUN_SECONDS = 60


def test_a_newcomer_runs_an_example_makes_a_key_and_sees_a_delivery(
    visitor: Page, sign_in_link: Callable[[], str]
) -> None:
    page, began = visitor, time.monotonic()
    page.goto(sign_in_link())
    page.get_by_role("article", name="Greeting letter").get_by_role("link").last.wait_for()
    page.get_by_role("link", name="Greeting letter").click()
    page.get_by_label("Name").fill("Grace")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("region", name="Result")).to_contain_text("Dear Grace")
    assert time.monotonic() - began < FIRST_RUN_SECONDS

    code = page.locator("pre code").inner_text()
    page.get_by_role("link", name="create one").click()
    page.get_by_role("button", name="Create key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Newcomer")
    dialog.get_by_role("radio", name="Run with webhooks").check()
    dialog.get_by_role("button", name="Create", exact=True).click()
    secret = page.get_by_role("region", name="The new key").inner_text()
    page.get_by_role("button", name="Done").click()

    with receiving() as hook:
        page.get_by_role("tab", name="Webhook").click()
        choice = page.get_by_label("Key", exact=True)
        choice.select_option(label=f"Newcomer (…{secret[-4:]})")
        page.get_by_label("URL").fill(hook.url)
        page.get_by_role("button", name="Save").click()
        page.get_by_role("region", name="Secret of the webhook").wait_for()
        environ = {**os.environ, "HEADRACE_API_KEY": secret}
        call = code.replace("/run'", "/run?async=true'")
        subprocess.run(["bash", "-c", call], env=environ, check=True, capture_output=True)

        deliveries = page.get_by_role("region", name="Deliveries")
        expect(deliveries.get_by_text("execution.completed")).to_be_visible()
        expect(deliveries.get_by_text("delivered")).to_be_visible()
    assert b"Dear Grace" in hook.bodies[0]


def test_signing_out_leaves_a_visitor(
    visitor: Page, sign_in_link: Callable[[], str], complaints: list[str]
) -> None:
    visitor.goto(sign_in_link())

    visitor.get_by_role("button", name="Sign out").click()

    expect(visitor.get_by_role("main").get_by_role("link", name="Sign in")).to_be_visible()
    # Chromium logs refusals of reads that were under way.
    complaints[:] = [each for each in complaints if "status of 401" not in each]
    visitor.goto("/")
    expect(visitor.get_by_role("article")).to_have_count(0)


def test_visitors_are_led_to_signing_in_and_come_back(
    visitor: Page, sign_in_link: Callable[[], str]
) -> None:
    visitor.goto("/app/api/keys")

    expect(visitor.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert violations(visitor) == []
    way_back = visitor.url.partition("?next=")[2]
    visitor.goto(f"{sign_in_link()}&next={way_back}")

    expect(visitor).to_have_url("/app/api/keys")
    expect(visitor.get_by_role("heading", level=1)).to_have_text("API keys")
