"""The way of a newcomer to a workflow that asks a person, who answers by a link on a phone."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import MakePage
from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.drawing import add, begin_empty_workflow, settle, wire
from tests.support.e2e.editor import card, wires

pytestmark = pytest.mark.slow
SECONDS = 240
"""Longest way from an empty canvas to the result after the answer."""
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


def draw(page: Page) -> None:
    """Draw form, approval, pause and output."""
    form = add(page, "Request Input", (20, 60))
    form.get_by_role("button", name="Add a field").click()
    page.keyboard.type("topic")
    for _ in range(5):
        page.get_by_role("button", name="Zoom Out").click()
        settle(page)
    add(page, "Delay", (300, 60)).get_by_label("Time", exact=True).fill("2")
    page.get_by_role("region", name="Settings").get_by_label("Unit of time").select_option(
        "seconds"
    )
    add(page, "Response Output", (440, 60))
    approval = add(page, "Approval", (160, 60))
    compose(page, approval)
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_role("button", name="Fit View").click()
    settle(page)
    wire(page, "requestInput", "topic", "approval", "value-in")
    wire(page, "approval", "approved-out", "delay", "value-in")
    wire(page, "delay", "value-out", "responseOutput", "result-in")
    expect(wires(page)).to_have_count(4)
    expect(page.get_by_role("button", name="No problems")).to_be_visible()


def compose(page: Page, approval: Locator) -> None:
    """Write the question, wire its placeholder from the settings, and design the form."""
    title = approval.get_by_label("Title", exact=True)
    title.fill("Publish the post about {{ topic }}?")
    page.keyboard.press("Escape")
    wire_it = approval.get_by_role("button", name="Wire to requestInput · topic")
    wire_it.click()
    expect(wire_it).to_have_count(0)
    approval.get_by_label("Message", exact=True).fill("It goes to all readers.")
    approval.get_by_label("Type of the new field").select_option("Choice")
    approval.get_by_role("button", name="Add a field").click()
    page.keyboard.type("channel")
    approval.get_by_label("Options").fill("Blog\nMail")
    approval.get_by_label("Time to answer", exact=True).fill("3")


def publish(page: Page) -> None:
    """Publish the workflow."""
    page.get_by_role("button", name="Publish", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Publish now").click()
    expect(page.get_by_role("status", name="State of the workflow")).to_contain_text("version 1")


def answer(phone: Page, link: str) -> None:
    """Open the link without an account and without scripts, and approve."""
    phone.goto(link)
    expect(phone.get_by_role("heading", name="Publish the post about tea?")).to_be_visible()
    expect(phone.get_by_text("It goes to all readers.")).to_be_visible()
    phone.get_by_label("Mail").check()
    phone.get_by_label("Note").fill("Well written")
    phone.get_by_role("button", name="Approve").click()
    expect(phone.get_by_role("heading")).to_contain_text(re.compile("approved", re.IGNORECASE))


def test_a_newcomer_lets_a_person_decide_by_a_link(
    visitor: Page, make_page: MakePage, stack: RunningStack, sign_in_link: Callable[[], str]
) -> None:
    page, began = visitor, time.monotonic()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    begin_empty_workflow(page, sign_in_link(), "Ask before a post")
    draw(page)
    publish(page)
    status, started = stack.api(
        "POST", "/api/workflows/ask-before-a-post/run?async=true", {"inputs": {"topic": "tea"}}
    )
    assert status == 202, started

    page.get_by_role("button", name="Run", exact=True).click()
    panel = page.get_by_role("region", name="Run", exact=True)
    panel.get_by_role("button").filter(has_text="Needs an answer").first.click()

    asking = card(page, "approval")
    expect(asking).to_have_attribute("data-status", "asks")
    expect(asking).to_contain_text("2 days 23 hours left")
    expect(card(page, "responseOutput")).to_contain_text("Not begun")
    asking.get_by_role("button", name="Copy the approval link").click()
    link = page.evaluate("navigator.clipboard.readText()")
    answer(make_page(java_script_enabled=False, **PHONE), link)

    expect(asking).to_have_attribute("data-status", "completed")
    expect(asking).to_contain_text("Approved")
    expect(card(page, "delay")).to_have_attribute("data-status", "waiting")
    expect(panel.get_by_role("region", name="Result")).to_contain_text("tea")
    expect(card(page, "responseOutput")).to_have_attribute("data-status", "completed")
    assert time.monotonic() - began < SECONDS
