"""Runs of agents: their steps as they come, on the page of an execution, and a call that waits."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.axe import SETTLED, violations
from tests.support.e2e.executions import ended, leave_to_the_history, panel
from tests.support.e2e.workflows import agent, tool

pytestmark = pytest.mark.slow
REFUND = "The lid of order 1042 is broken. Please refund it."


def begin(stack: RunningStack, slug: str, mail: str) -> str:
    path = f"/api/workflows/{slug}/run?async=true"
    status, answer = stack.api("POST", path, {"inputs": {"mail": mail}})
    assert status == 202, answer
    return str(answer["executionId"])


def steps(place: Page | Locator) -> Locator:
    """Return the rows of an agent's steps."""
    return place.get_by_role("region", name="Steps").locator(".step-list > li")


def check_page(page: Page) -> None:
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.evaluate(SETTLED)
        assert violations(page) == [], theme


def test_the_playground_shows_the_steps_and_the_answer(page: Page) -> None:
    page.goto("/app/playground/support-agent")
    page.get_by_role("button", name="Run", exact=True).click()

    result = page.get_by_role("region", name="Result")
    expect(result.get_by_text("completed", exact=True)).to_be_visible()
    expect(result).to_contain_text("Blue steel kettle")
    result.get_by_text("Steps of agent").click()
    rows = steps(result)
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text(re.compile("1.*completed.*look-up-an-order.*credit"))
    expect(rows.nth(1)).to_contain_text("order: 1041")
    check_page(page)


def test_the_text_of_a_turn_grows_in_the_playground(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", tool("Tell count", "7 of {{ order }}"))
    stack.api("POST", "/api/workflows", agent("Slow agent", "tell-count"))
    page.goto("/app/playground/slow-agent")
    words = " ".join(f"word{number}" for number in range(30))
    page.get_by_label("Mail").fill(f"[[stub pace=150]] {words}")
    page.get_by_role("button", name="Run", exact=True).click()

    result = page.get_by_role("region", name="Result")
    text = result.get_by_role("log", name="Text so far")
    expect(text).to_contain_text("word0")
    seen = text.inner_text()
    expect(text).not_to_have_text(seen)
    expect(steps(result).first).to_contain_text("processing")
    expect(result.get_by_text("completed", exact=True)).to_be_visible()


def test_a_call_waits_for_an_answer_and_its_step_tells_it(page: Page, stack: RunningStack) -> None:
    execution_id = begin(stack, "support-agent", REFUND)
    stack.waiting(execution_id)
    page.goto(f"/app/executions/{execution_id}?node=agent")
    rows = steps(panel(page, "agent"))
    expect(rows).to_have_count(4)
    nodes = page.get_by_role("table", name="Nodes in time")
    expect(nodes).to_contain_text("form")
    expect(nodes, "a note is no row").not_to_contain_text("about")
    asking = rows.nth(3)
    expect(asking).to_contain_text("waiting")
    expect(asking).to_contain_text("Waits until somebody approves the call")
    check_page(page)

    asking.get_by_role("link", name="Answer").click()
    question = page.get_by_role("main")
    expect(question).to_contain_text("refund-an-order")
    question.get_by_role("button", name="Approve").click()
    expect(question).to_contain_text("Approved")
    page.goto(f"/app/executions/{execution_id}?node=agent")

    expect(rows).to_have_count(5)
    expect(asking).to_contain_text(re.compile("Approved.*by this account"))
    expect(asking).to_contain_text("completed")
    asking.locator("summary").first.click()
    expect(asking).to_contain_text("R-1042")
    table = page.get_by_role("table", name="Nodes in time")
    expect(table.get_by_role("link", name="4. refund-an-order")).to_be_visible()
    expect(table.get_by_role("link", name="4. Approval")).to_be_visible()
    check_page(page)
    asking.get_by_role("link", name="Its execution").click()
    expect(page.get_by_text("4. refund-an-order of agent in")).to_be_visible()
    page.get_by_role("link", name="All steps of agent").click()
    expect(page).to_have_url(f"{stack.url}/app/executions/{execution_id}?node=agent")


def test_steps_go_on_in_sight_while_the_page_is_open(page: Page, stack: RunningStack) -> None:
    execution_id = begin(stack, "support-agent", REFUND)
    asked = stack.waiting(execution_id)["waitingFor"][0]
    page.goto(f"/app/executions/{execution_id}?node=agent")
    rows = steps(panel(page, "agent"))
    expect(rows).to_have_count(4)

    path = f"/api/executions/{asked['executionId']}/approvals/{asked['nodeId']}"
    answer = {"decision": "refuse", "note": "Not by the rules"}
    assert stack.api("POST", path, answer)[0] == 200

    expect(rows).to_have_count(5)
    expect(rows.nth(3)).to_contain_text("refused")
    expect(rows.nth(3)).to_contain_text("Not by the rules")
    expect(page.get_by_role("heading", level=1)).to_contain_text("completed")


def test_steps_of_a_failed_agent_stay_in_the_history(page: Page, stack: RunningStack) -> None:
    document = agent("Short agent", "look-up-an-order", maxSteps=2)
    stack.api("POST", "/api/workflows", document)
    execution_id = begin(stack, "short-agent", "Where is order 1041?")
    done: dict[str, Any] = ended(stack, execution_id)
    assert done["error"]["code"] == "EXECUTION_FAILED"
    account_id = page.request.get("/api/me").json()["user"]["id"]
    leave_to_the_history(stack, account_id, execution_id)

    page.goto(f"/app/executions/{execution_id}?node=agent")

    node = panel(page, "agent")
    expect(node).to_contain_text("max_steps")
    rows = steps(node)
    expect(rows).to_have_count(2)
    rows.nth(1).locator("summary").first.click()
    expect(rows.nth(1)).to_contain_text("Blue steel kettle")
