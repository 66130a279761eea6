"""A run that is sent to a webhook of its own, from the playground to its deliveries."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack, until
from tests.support.e2e.receiver import Received, receiving
from tests.support.e2e.workflows import greeting

pytestmark = pytest.mark.slow


@pytest.fixture
def receiver() -> Iterator[Received]:
    """The server that is told of runs."""
    with receiving() as received:
        yield received


def ask_for_webhook(page: Page, slug: str, url: str) -> None:
    """Fill in the webhook of a run in its playground."""
    page.goto(f"/app/playground/{slug}")
    page.get_by_text("Tags and webhook").click()
    page.get_by_label("Send it to a webhook").check()
    page.get_by_label("Webhook URL").fill(url)


def test_a_run_is_sent_to_a_webhook_and_its_deliveries_are_seen_and_repeated(
    page: Page, stack: RunningStack, receiver: Received
) -> None:
    stack.api("POST", "/api/workflows", greeting("Told"))
    ask_for_webhook(page, "told", receiver.url)
    page.get_by_role("button", name="Make one").click()
    expect(page.get_by_role("textbox", name="Secret")).to_have_value(re.compile("^whsec_.{44}$"))
    page.get_by_role("checkbox", name="execution.started").check()
    page.get_by_label("Tags").fill("told")

    page.get_by_role("button", name="Run", exact=True).click()

    until(lambda: len(receiver.bodies), lambda count: count >= 2)
    told = [json.loads(body) for body in receiver.bodies]
    assert {each["event"] for each in told} == {"execution.started", "execution.completed"}
    assert {each["sequence"] for each in told} == {1, 2}
    assert all(each["tags"] == ["told"] for each in told)
    page.get_by_role("link", name="Its execution").click()
    page.get_by_role("tab", name="Deliveries").click()
    deliveries = page.get_by_role("tabpanel").get_by_role("region")
    expect(deliveries).to_have_count(2)
    end = page.get_by_role("region", name="execution.completed")
    expect(end).to_contain_text("delivered")
    expect(end).to_contain_text(f"To {receiver.url}")
    expect(end).to_contain_text("thanks")


def test_a_delivery_that_fails_says_when_it_is_tried_again(
    page: Page, stack: RunningStack, receiver: Received
) -> None:
    receiver.status = 500
    stack.api("POST", "/api/workflows", greeting("Told later"))
    ask_for_webhook(page, "told-later", receiver.url)
    page.get_by_role("textbox", name="Secret").fill("a secret of my own")

    page.get_by_role("button", name="Run", exact=True).click()

    page.get_by_role("link", name="Its execution").click()
    page.get_by_role("tab", name="Deliveries").click()
    end = page.get_by_role("region", name="execution.completed")
    expect(end).to_contain_text("out of order")
    expect(end).to_contain_text("Next attempt")
    receiver.status = 200
    expect(end).to_contain_text("delivered", timeout=60_000)


def test_a_webhook_that_is_wrong_is_told_beside_its_field(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    stack.api("POST", "/api/workflows", greeting("Told nothing"))
    ask_for_webhook(page, "told-nothing", "")
    run = page.get_by_role("button", name="Run", exact=True)

    run.click()

    url, secret = page.get_by_label("Webhook URL"), page.get_by_role("textbox", name="Secret")
    expect(url).to_have_accessible_description(re.compile("https://"))
    expect(secret).to_have_accessible_description(re.compile("A secret is needed"))
    url.fill("http://user:password@127.0.0.1/")
    secret.fill("a secret of my own")
    run.click()
    expect(url).to_have_attribute("aria-invalid", "true")
    complaints[:] = [each for each in complaints if "400" not in each]
