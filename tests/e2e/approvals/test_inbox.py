"""The inbox: what waits appears by itself, is answered once, and tells who answered."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import MakePage, SignIn
from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.axe import SETTLED, violations
from tests.support.e2e.executions import ended, run
from tests.support.e2e.waiting import asking, waiting

pytestmark = pytest.mark.slow
PHONE = {"width": 390, "height": 844}


def inbox(page: Page) -> Locator:
    return page.get_by_role("list", name="Approvals that wait")


def badge(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Pages").get_by_role("link", name="Approvals")


@pytest.fixture
def answer_elsewhere(page: Page) -> Callable[[str, str], int]:
    """Answer an approval without its page, with the session of the browser."""

    def answer(execution_id: str, decision: str) -> int:
        path = f"/api/executions/{execution_id}/approvals/ask"
        script = """async ([path, body]) => {
          const headers = {"content-type": "application/json"};
          const answer = await fetch(path, {method: "POST", headers, body: JSON.stringify(body)});
          return answer.status;
        }"""
        body = {"decision": decision, "fields": {"budget": 3}, "note": "From elsewhere."}
        return int(page.evaluate(script, [path, body]))

    return answer


def test_an_approval_appears_is_answered_and_tells_its_answer(
    page: Page, stack: RunningStack
) -> None:
    stack.api("POST", "/api/workflows", asking("Asked live"))
    page.goto("/app/approvals")
    page.get_by_role("heading", level=1).wait_for()

    execution_id = waiting(stack, "asked-live")

    row = inbox(page).get_by_role("link", name="asked-live")
    expect(row).to_contain_text("Publish “Grace”?")
    expect(row).to_contain_text("It goes to 4,200 readers.")
    expect(row).to_contain_text("6 days 23 hours left")
    expect(badge(page)).to_have_accessible_name(re.compile(r"^Approvals \d\+? wait for an answer$"))
    row.click()
    shown = page.get_by_role("region", name="Approval Publish “Grace”?")
    expect(shown).to_contain_text("It goes to 4,200 readers.")
    expect(shown.get_by_role("region", name="Value")).to_contain_text("Hello Grace!")
    shown.get_by_label("Budget").fill("501")
    shown.get_by_role("button", name="Approve").click()
    expect(shown.get_by_label("Budget")).to_be_focused()
    expect(shown).to_contain_text("At most 500.")
    shown.get_by_label("Budget").fill("120")
    shown.get_by_label("Note").fill("Fine with me.")
    shown.get_by_label("Budget").press("Enter")  # decides nothing
    shown.get_by_role("button", name="Approve").click()

    expect(shown).to_contain_text("Approved by this account")
    expect(shown).to_contain_text("Fine with me.")
    expect(shown.get_by_role("term")).to_have_text(["Budget", "Channel"])
    expect(shown.get_by_role("heading")).to_be_focused()
    page.evaluate(SETTLED)
    assert violations(page) == []
    expect(row).to_have_count(0)
    result = ended(stack, execution_id)["result"]
    assert (result["sent"], result["kept"]) == ("Hello Grace!", None)
    assert result["answer"]["fields"] == {"budget": 120, "channel": "blog"}
    shown.get_by_role("link", name="See its execution").click()
    expect(page.get_by_role("region", name="Answer at ask")).to_contain_text("Fine with me.")


def test_a_refusal_needs_no_field(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", asking("Asked in vain"))
    execution_id = waiting(stack, "asked-in-vain")
    page.goto(f"/app/approvals?approval={execution_id}/ask")

    page.get_by_role("button", name="Refuse").click()

    expect(page.get_by_role("region", name="Approval")).to_contain_text("Refused")
    result = ended(stack, execution_id)["result"]
    assert (result["sent"], result["kept"]) == (None, "Hello Grace!")


def test_an_answer_from_elsewhere_counts_and_is_told(
    page: Page, stack: RunningStack, answer_elsewhere: Callable[[str, str], int]
) -> None:
    stack.api("POST", "/api/workflows", asking("Asked twice"))
    execution_id = waiting(stack, "asked-twice")
    page.goto(f"/app/approvals?approval={execution_id}/ask")
    shown = page.get_by_role("region", name="Approval")
    shown.get_by_label("Note").fill("Half a thought")

    assert answer_elsewhere(execution_id, "approve") == 200

    expect(shown).to_contain_text("From elsewhere.")
    expect(shown.get_by_role("button", name="Approve")).to_have_count(0)


def test_the_slower_of_two_answers_is_told_of_the_first(
    page: Page,
    stack: RunningStack,
    complaints: list[str],
    answer_elsewhere: Callable[[str, str], int],
) -> None:
    stack.api("POST", "/api/workflows", asking("Asked at once"))
    execution_id = waiting(stack, "asked-at-once")
    page.goto(f"/app/approvals?approval={execution_id}/ask")
    refuse = page.get_by_role("button", name="Refuse")
    refuse.wait_for()
    listed = page.evaluate("fetch('/api/approvals?limit=50').then((answer) => answer.json())")
    page.route(re.compile(r"/api/approvals\?"), lambda route: route.fulfill(json=listed))
    assert answer_elsewhere(execution_id, "approve") == 200

    refuse.click()

    expect(page.locator(".toast")).to_contain_text("it is approved already")
    complaints.clear()  # Chromium logs the refusal


def test_a_cancelled_run_asks_nobody_any_more(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", asking("Asked and cancelled"))
    execution_id = waiting(stack, "asked-and-cancelled")
    page.goto(f"/app/approvals?approval={execution_id}/ask")
    shown = page.get_by_role("region", name="Approval")
    shown.get_by_role("button", name="Approve").wait_for()

    stack.api("POST", f"/api/executions/{execution_id}/cancel")

    expect(shown).to_contain_text("Nobody is asked any more: the run was cancelled.")
    expect(shown.get_by_role("button", name="Approve")).to_have_count(0)
    expect(inbox(page).get_by_role("link", name="asked-and-cancelled")).to_have_count(0)


def test_an_approval_that_the_list_has_no_place_for_any_more_stays_as_it_is(
    page: Page, stack: RunningStack
) -> None:
    stack.api("POST", "/api/workflows", asking("Asked long ago", fields=[]))
    execution_id = waiting(stack, "asked-long-ago")
    page.goto(f"/app/approvals?approval={execution_id}/ask")
    shown = page.get_by_role("region", name="Approval")
    shown.get_by_label("Note").fill("Half a thought")
    row = inbox(page).get_by_role("link", name="asked-long-ago")
    expect(row).to_have_count(1)

    page.route(
        re.compile(r"/api/approvals\?"),
        lambda route: route.fulfill(json={"rows": [], "nextCursor": None}),
    )
    waiting(stack, "asked-long-ago")

    expect(row).to_have_count(0)
    expect(shown.get_by_label("Note")).to_have_value("Half a thought")
    shown.get_by_role("button", name="Approve").click()
    expect(shown).to_contain_text("Half a thought")
    page.reload()
    expect(shown).to_contain_text("Approved")
    assert ended(stack, execution_id)["result"]["answer"]["note"] == "Half a thought"


def test_another_approval_does_not_take_the_place_of_the_one_that_is_shown(
    page: Page, stack: RunningStack
) -> None:
    for name in ("Shown first", "Comes later"):
        stack.api("POST", "/api/workflows", asking(name))
    waiting(stack, "shown-first")
    page.goto("/app/approvals")
    shown = page.get_by_role("region", name="Approval")
    expect(shown).to_contain_text("shown-first")
    shown.get_by_label("Budget").fill("7")

    waiting(stack, "comes-later")

    expect(inbox(page).get_by_role("link", name="comes-later")).to_be_visible()
    expect(shown).to_contain_text("shown-first")
    expect(shown.get_by_label("Budget")).to_have_value("7")


def test_an_approval_is_answered_on_a_phone(
    make_page: MakePage, signed_in: Path, stack: RunningStack
) -> None:
    stack.api("POST", "/api/workflows", asking("Asked on a phone", fields=[]))
    execution_id = waiting(stack, "asked-on-a-phone")
    page = make_page(signed_in, viewport=PHONE, has_touch=True)
    page.goto("/app/approvals")
    approve = page.get_by_role("button", name="Approve")
    expect(approve).to_have_count(0)

    inbox(page).get_by_role("link", name="asked-on-a-phone").tap()
    expect(inbox(page)).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    approve.tap()

    expect(page.get_by_role("region", name="Approval")).to_contain_text("Approved")
    page.get_by_role("link", name="All approvals").tap()
    expect(page.get_by_role("link", name="asked-on-a-phone")).to_have_count(0)
    assert ended(stack, execution_id)["status"] == "completed"


def test_an_empty_inbox_teaches_and_is_accessible(sign_in_as: SignIn) -> None:
    page = sign_in_as("pro")

    page.goto("/app/approvals")

    expect(page.get_by_text("Nothing waits for an answer")).to_be_visible()
    expect(badge(page)).to_have_accessible_name("Approvals")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.evaluate(SETTLED)
        assert violations(page) == [], theme
    page.get_by_role("link", name="Start from a template").click()
    dialog = page.get_by_role("dialog", name="New workflow")
    expect(dialog.get_by_role("radio", name="Post after approval")).to_be_checked()
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)


def test_a_list_tells_which_runs_need_an_answer(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", asking("Listed as asking"))
    page.goto("/app/executions?workflowSlug=listed-as-asking")
    page.get_by_text("No execution matches").wait_for()

    run(stack, "listed-as-asking")

    row = page.get_by_role("row", name="listed-as-asking")
    expect(row).to_contain_text("Needs an answer")
