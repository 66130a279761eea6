"""Changes are saved by themselves, kept in the browser until then, and never lost."""

import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress

import pytest
from playwright.sync_api import Error, Page, Route, expect

from tests.support.acceptance.running_stack import RunningStack, until
from tests.support.e2e.drafts import (
    create,
    draft,
    expect_saved,
    forget,
    state,
    text_field,
    text_of,
    with_text,
    write,
)
from tests.support.e2e.editor import open_editor

pytestmark = pytest.mark.slow
CUT_SECONDS = 30
WRITES = "**/api/workflows/*/draft"


def saves(stack: RunningStack, slug: str, text: str) -> dict[str, object]:
    """Wait until the draft has the text."""

    def read() -> dict[str, object] | None:
        status, found = stack.api("GET", f"/api/workflows/{slug}/draft")
        return found if status == 200 and text_of(found) == text else None

    found = until(read)
    assert found is not None
    return found


def another_page(page: Page, complaints: list[str]) -> Page:
    """Open a page of the same browser, which tells its complaints too."""
    other = page.context.new_page()
    other.on("console", lambda message: complaints.append(message.text))
    other.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    return other


def lose_writes(page: Page) -> None:
    """Let no write of this page reach the server, not even one of a page that is left."""
    page.evaluate(
        """() => {
          const send = window.fetch;
          window.fetch = (path, init) =>
            init?.method === "PUT" ? Promise.reject(new TypeError("lost")) : send(path, init);
        }"""
    )


def test_a_change_is_saved_by_itself_and_its_revision_is_shown(
    page: Page, stack: RunningStack
) -> None:
    slug = create(stack, "Saved by itself")
    open_editor(page, slug)

    text_field(page).fill("Good day {{ name }}")

    expect(page.get_by_text("Saving", exact=True)).to_be_visible()
    expect_saved(page)
    expect(page.get_by_text("revision 1", exact=True)).to_be_visible()
    assert text_of(draft(stack, slug)) == "Good day {{ name }}"


def test_a_change_is_saved_within_two_seconds_while_more_is_typed(
    page: Page, stack: RunningStack
) -> None:
    slug = create(stack, "Typed on and on")
    open_editor(page, slug)
    sent: list[str] = []
    page.on("request", lambda each: each.method == "PUT" and sent.append(each.post_data or ""))
    field = text_field(page)
    field.fill("")

    # Each key comes before the pause that usually begins a save.
    for _ in range(12):
        field.press_sequentially("ab")
        page.wait_for_timeout(300)

    assert len(sent) >= 1
    expect_saved(page)


def test_a_page_that_is_left_sends_its_last_change(page: Page, stack: RunningStack) -> None:
    slug = create(stack, "Left at once")
    open_editor(page, slug)

    text_field(page).fill("The last word, {{ name }}")
    page.goto("about:blank")

    saves(stack, slug, "The last word, {{ name }}")


def test_another_page_of_the_site_finds_the_last_change(page: Page, stack: RunningStack) -> None:
    slug = create(stack, "Left and back")
    open_editor(page, slug)
    text_field(page).fill("There and back, {{ name }}")

    page.get_by_role("link", name="Workflows").click()
    page.get_by_role("article", name="Left and back").get_by_role("link", name="Edit").click()

    expect(text_field(page)).to_have_value("There and back, {{ name }}")


def close(page: Page) -> None:
    """Close a tab without asking it."""
    with page.expect_event("close"), suppress(Error):
        page.context.new_cdp_session(page).send("Page.close")


def kill(page: Page) -> None:
    """Kill the processes that show pages."""
    browser = page.context.browser
    assert browser is not None
    found = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    with page.expect_event("crash"):
        for each in found:
            if each["type"] == "renderer":
                os.kill(each["id"], signal.SIGKILL)


@pytest.mark.parametrize("end", [close, kill])
def test_a_tab_that_ends_right_after_a_change_loses_nothing(
    page: Page, stack: RunningStack, complaints: list[str], end: Callable[[Page], None]
) -> None:
    slug = create(stack, f"Ended by {end.__name__}")
    open_editor(page, slug)
    lose_writes(page)
    text_field(page).fill("Survives, {{ name }}")

    end(page)
    other = another_page(page, complaints)
    open_editor(other, slug)

    expect(other.get_by_text("had not reached the server")).to_be_visible()
    expect(text_field(other)).to_have_value("Survives, {{ name }}")
    saves(stack, slug, "Survives, {{ name }}")
    expect_saved(other)
    names = other.evaluate("Object.keys(localStorage)")
    assert [name for name in names if name.startswith("headrace-draft")] == []


def test_what_was_kept_may_be_discarded(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    slug = create(stack, "Not wanted")
    open_editor(page, slug)
    lose_writes(page)
    text_field(page).fill("Not wanted, {{ name }}")
    page.goto("about:blank")
    open_editor(page, slug)

    page.get_by_role("button", name="Discard them").click()

    expect(text_field(page)).to_have_value("Hello {{ name }}!")
    expect(page.get_by_text("had not reached the server")).to_have_count(0)
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(text_field(page)).to_have_value("Not wanted, {{ name }}")
    forget(complaints)


def test_what_was_kept_is_merged_with_what_others_saved(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    slug = create(stack, "Kept and moved on")
    open_editor(page, slug)
    lose_writes(page)
    text_field(page).fill("Mine, {{ name }}")
    page.goto("about:blank")
    theirs = with_text("Hello {{ name }}!", "Renamed meanwhile", tags=["theirs"])
    write(stack, slug, theirs)

    open_editor(page, slug)

    expect(page.get_by_role("heading", level=1)).to_have_text("Renamed meanwhile")
    found = saves(stack, slug, "Mine, {{ name }}")
    assert (found["name"], found["tags"]) == ("Renamed meanwhile", ["theirs"])
    forget(complaints)


def test_two_tabs_keep_their_changes_apart(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    slug = create(stack, "Two tabs", description="Before")
    other = another_page(page, complaints)
    for tab in (page, other):
        open_editor(tab, slug)
    page.context.set_offline(True)

    text_field(page).fill("From one tab, {{ name }}")
    other.get_by_role("button", name="Workflow", exact=True).click()
    other.get_by_label("Description").fill("From the other tab")
    page.context.set_offline(False)

    found = saves(stack, slug, "From one tab, {{ name }}")
    until(lambda: draft(stack, slug)["description"] == "From the other tab")
    expect(page.get_by_text("had not reached the server")).to_have_count(0)
    assert found["name"] == "Two tabs"
    forget(complaints)


def test_a_cut_network_is_told_and_nothing_is_lost(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    slug = create(stack, "Cut off")
    open_editor(page, slug)
    field = text_field(page)
    page.context.set_offline(True)

    for second in range(CUT_SECONDS):
        field.fill(f"Offline for {second} s, {{{{ name }}}}")
        page.wait_for_timeout(1_000)
    expect(page.get_by_text("Offline", exact=True)).to_be_visible()
    page.context.set_offline(False)

    expect_saved(page)
    assert text_of(draft(stack, slug)) == f"Offline for {CUT_SECONDS - 1} s, {{{{ name }}}}"
    forget(complaints)


def test_a_write_whose_answer_is_lost_is_not_made_twice(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    slug = create(stack, "Lost answer")
    open_editor(page, slug)
    page.evaluate(
        """() => {
          const send = window.fetch;
          window.fetch = async (path, init) => {
            const answer = await send(path, init);
            if (init?.method !== "PUT") return answer;
            window.fetch = send;
            throw new TypeError("lost");
          };
        }"""
    )
    page.get_by_role("complementary").get_by_role("button", name="List", exact=True).click()
    expect(page.get_by_text("Offline", exact=True)).to_be_visible()
    page.get_by_role("button", name="Lost answer", exact=True).click()
    page.get_by_label("Name of the workflow").fill("Found again")
    page.keyboard.press("Enter")

    until(lambda: draft(stack, slug)["name"] == "Found again")
    expect_saved(page)
    assert [each["id"] for each in draft(stack, slug)["nodes"]] == [
        "form",
        "text",
        "result",
        "list",
    ]
    forget(complaints)


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_to_wait_is_asked_again_when_it_says(
    page: Page, stack: RunningStack, complaints: list[str], status: int
) -> None:
    slug = create(stack, f"Told to wait {status}")
    open_editor(page, slug)
    refused: list[Route] = []

    def refuse_once(route: Route) -> None:
        if route.request.method != "PUT" or refused:
            route.continue_()
            return
        refused.append(route)
        body = json.dumps({"error": "Too many saves", "code": "RATE_LIMITED"})
        route.fulfill(status=status, body=body, headers={"retry-after": "1"})

    page.route(WRITES, refuse_once)
    text_field(page).fill("Patient, {{ name }}")

    expect(page.get_by_text("Waiting to save")).to_be_visible()
    expect_saved(page)
    assert text_of(draft(stack, slug)) == "Patient, {{ name }}"
    complaints[:] = [each for each in complaints if f"status of {status}" not in each]


def test_a_large_document_is_kept_too(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    slug = create(stack, "Large")
    long = "x" * 60_000
    document = with_text("Hello {{ name }}!", "Large")
    document["nodes"] += [
        {
            "id": f"more{number}",
            "type": "textBox",
            "position": {"x": 320 * (number % 4), "y": 200 + 140 * (number // 4)},
            "data": {"text": long},
        }
        for number in range(15)
    ]
    write(stack, slug, document)
    open_editor(page, slug)
    lose_writes(page)
    text_field(page).fill("Small change, {{ name }}")
    page.goto("about:blank")

    open_editor(page, slug)

    saves(stack, slug, "Small change, {{ name }}")
    assert len(draft(stack, slug)["nodes"]) == len(document["nodes"])
    forget(complaints)


def test_a_run_of_an_unchanged_draft_leaves_no_draft(page: Page, stack: RunningStack) -> None:
    slug = create(stack, "Run as it is")
    open_editor(page, slug)
    page.get_by_role("button", name="Run", exact=True).click()

    page.get_by_role("button", name="Run the draft").click()

    expect(page.get_by_role("region", name="Result")).to_contain_text("Hello Ada!")
    expect(state(page)).to_contain_text("Unchanged · version 1")
    expect_no_draft(page, stack, slug)
    page.get_by_role("link", name="Workflows").first.click()
    expect(page.get_by_role("article", name="Run as it is")).to_contain_text("Live")


def test_changes_that_are_taken_back_leave_no_draft(page: Page, stack: RunningStack) -> None:
    slug = create(stack, "Taken back")
    open_editor(page, slug)
    text_field(page).fill("Good day {{ name }}")
    expect_saved(page)
    assert text_of(draft(stack, slug)) == "Good day {{ name }}"

    page.get_by_role("button", name="Undo").click()

    expect_no_draft(page, stack, slug)
    expect(state(page)).to_contain_text("Unchanged · version 1")


def expect_no_draft(page: Page, stack: RunningStack, slug: str) -> None:
    """Wait until the server has no draft."""
    for _ in range(50):
        if stack.api("GET", f"/api/workflows/{slug}/draft")[0] == 404:
            return
        page.wait_for_timeout(100)
    raise AssertionError("The draft stays.")
