"""A run as it goes on: its text, its progress, and a connection that breaks meanwhile."""

import os
import re
import signal

import pytest
from playwright.sync_api import Page, Response, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.workflows import asking

pytestmark = pytest.mark.slow
FIRST = "word0"
COUNT = 40
WORDS = "[[stub pace=120]] " + " ".join(f"word{number}" for number in range(COUNT))
"""About five seconds."""
RESTART_MS = 30_000


@pytest.fixture(scope="module", autouse=True)
def workflows(stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", asking("Slow text", "gpt-mini", "text-out", WORDS))
    job = "[[stub job=4000]] A kettle"
    stack.api("POST", "/api/workflows", asking("Slow picture", "painter", "image-out", job))


def words(text: str) -> list[int]:
    """Return the numbers of the words in a text."""
    return [int(number) for number in re.findall(r"\bword(\d+)\b", text)]


def test_a_text_grows_while_its_model_writes(page: Page) -> None:
    page.goto("/app/playground/slow-text")

    page.get_by_role("button", name="Run").click()

    result = page.get_by_role("region", name="Result")
    text = result.get_by_role("log", name="Text so far")
    expect(text).to_contain_text(FIRST)
    seen = text.inner_text()
    expect(text).not_to_have_text(seen)
    grown = text.inner_text()
    assert len(words(seen)) < len(words(grown)) < COUNT
    assert words(grown) == list(range(len(words(grown))))
    expect(text).to_have_count(0)
    expect(result.get_by_text("completed", exact=True)).to_be_visible()
    assert words(result.inner_text()) == list(range(COUNT))


def test_a_job_shows_its_progress(page: Page) -> None:
    page.goto("/app/playground/slow-picture")

    page.get_by_role("button", name="Run").click()

    result = page.get_by_role("region", name="Result")
    bar = result.get_by_role("progressbar", name="Progress of model")
    expect(bar).to_be_visible()
    assert 0 < float(bar.get_attribute("value") or 0) < 1
    expect(bar).to_have_count(0)
    expect(result.get_by_role("img")).to_be_visible()


def test_a_run_goes_on_in_sight_after_its_gateway_was_killed(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    resumed: list[Response] = []
    page.on("response", lambda each: resumed.append(each) if "/events" in each.url else None)
    page.goto("/app/playground/slow-text")
    page.get_by_role("button", name="Run").click()
    result = page.get_by_role("region", name="Result")
    text = result.get_by_role("log", name="Text so far")
    expect(text).to_contain_text(FIRST)
    [gateway] = stack.part("gateway")

    os.kill(gateway, signal.SIGKILL)

    expect(text).to_have_count(0, timeout=RESTART_MS)
    expect(result.get_by_text("completed", exact=True)).to_be_visible()
    assert words(result.inner_text()) == list(range(COUNT))
    [again] = [each for each in resumed if "/api/executions/" in each.url]
    assert again.status == 200
    assert again.request.headers["last-event-id"]
    complaints.clear()  # Chromium logs each connection that is refused
