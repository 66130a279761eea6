"""The way of a newcomer, with the printed link and a browser alone; the short set of the CI."""

import os
import subprocess
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

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


def test_signing_out_leaves_a_visitor(visitor: Page, sign_in_link: Callable[[], str]) -> None:
    visitor.goto(sign_in_link())

    visitor.get_by_role("button", name="Sign out").click()

    expect(visitor.get_by_role("main").get_by_role("link", name="Sign in")).to_be_visible()
    visitor.goto("/")
    expect(visitor.get_by_role("article")).to_have_count(0)


@pytest.mark.parametrize("path", ["/app/api/keys", "/app/editor/greeting-letter"])
def test_visitors_are_led_to_signing_in_with_the_way_back(visitor: Page, path: str) -> None:
    answer = visitor.request.get(path, max_redirects=0)

    assert answer.status == 303
    assert answer.headers["location"] == f"/login?next={path}"
