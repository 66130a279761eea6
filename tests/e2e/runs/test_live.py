"""Changes appear by themselves, over one connection for all tabs, and after an interruption."""

import os
import signal
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.workflows import greeting

pytestmark = pytest.mark.slow
RESTART_MS = 30_000


def test_a_run_elsewhere_appears_in_all_tabs_over_one_connection(
    page: Page, stack: RunningStack
) -> None:
    stack.api("POST", "/api/workflows", greeting("Watched"))
    other = page.context.new_page()
    streams: list[str] = []
    for tab in (page, other):
        tab.on("request", lambda request: streams.append(request.url))
    page.goto("/app/playground/watched")
    other.goto("/")
    card = other.get_by_role("article", name="Watched")
    expect(card).to_contain_text("Not called yet")

    stack.api("POST", "/api/workflows/watched/run", {"inputs": {"name": "Ada"}})

    expect(page.get_by_role("region", name="Your runs").get_by_role("button")).to_have_count(1)
    expect(card).to_contain_text("0 credits")
    assert len([url for url in streams if url.endswith("/api/events")]) == 1


def test_another_tab_takes_the_connection_over(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", greeting("Taken over"))
    page.goto("/app/api/keys")
    other = page.context.new_page()
    other.goto("/")
    card = other.get_by_role("article", name="Taken over")
    expect(card).to_contain_text("Not called yet")

    page.close()
    stack.api("POST", "/api/workflows/taken-over/run", {"inputs": {"name": "Ada"}})

    expect(card).to_contain_text("0 credits")


def test_a_lost_connection_is_told_and_comes_back(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    page.goto("/")
    page.get_by_role("article").first.wait_for()
    [gateway] = stack.part("gateway")

    os.kill(gateway, signal.SIGSTOP)
    os.kill(gateway, signal.SIGKILL)

    notice = page.get_by_text("Connection lost")
    expect(notice).to_be_visible(timeout=RESTART_MS)
    expect(notice).to_have_count(0, timeout=RESTART_MS)
    stack.api("POST", "/api/workflows", greeting("After the restart"))
    expect(page.get_by_role("article", name="After the restart")).to_be_visible()
    complaints.clear()  # Chromium logs each connection that is refused


def test_a_change_between_the_first_list_and_the_connection_is_shown(
    page: Page, stack: RunningStack
) -> None:
    held: list[Route] = []
    page.route("**/api/events", lambda route: held.append(route))
    page.goto("/")
    page.get_by_role("article").first.wait_for()

    stack.api("POST", "/api/workflows", greeting("Between"))
    [stream] = held
    stream.continue_()

    expect(page.get_by_role("article", name="Between")).to_be_visible()


def test_a_session_that_ends_is_told(
    page: Page, sign_in_link: Callable[[], str], complaints: list[str]
) -> None:
    page.context.clear_cookies()
    page.goto(sign_in_link())
    page.get_by_role("article").first.wait_for()

    page.evaluate("fetch('/logout', {method: 'POST'})")

    expect(page.get_by_role("link", name="Signed out")).to_be_visible()
    complaints.clear()  # Chromium logs the stream that is refused
