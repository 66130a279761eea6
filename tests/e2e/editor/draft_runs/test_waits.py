"""Nodes that wait in runs of a draft: an approval that is answered in the editor, and a delay."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.axe import violations
from tests.support.e2e.editor import card, pick
from tests.support.e2e.node_settings import node, save_draft, wire

pytestmark = pytest.mark.slow
QUESTION: dict[str, Any] = {
    "title": "Post {{ topic }}?",
    "message": "Read it first.",
    "fields": [
        {"name": "reason", "label": "Reason", "type": "text", "required": True},
        {"name": "loud", "label": "Loud", "type": "toggle"},
    ],
}
NODES = [
    node("form", "requestInput", fields=[{"name": "topic", "label": "Topic", "type": "text"}]),
    node("ask", "approval", **QUESTION),
    node("pause", "delay", seconds=86_400),
    node("result", "responseOutput", fields=[{"name": "posted"}, {"name": "refused"}]),
]
WIRES = (
    wire("form.topic", "ask.topic"),
    wire("form.topic", "ask.value-in"),
    wire("ask.approved-out", "pause.value-in"),
    wire("pause.value-out", "result.posted"),
    wire("ask.refused-out", "result.refused"),
)

BODY = {
    "nodes": [
        node("item", "requestInput", fields=[{"name": "item", "type": "text"}]),
        node("ask", "approval", title="Post {{ item }}?"),
        node("given", "responseOutput"),
    ],
    "edges": [
        wire("item.item", "ask.item"),
        wire("item.item", "ask.value-in"),
        wire("ask.answer-out", "given.result-in"),
    ],
}


def begin(page: Page, stack: RunningStack) -> Locator:
    """Run the draft until it asks; return the panel."""
    slug = save_draft(stack, "Asks in a draft", NODES, *WIRES)
    page.goto(f"/app/editor/{slug}")
    card(page, "result").wait_for()
    page.get_by_role("button", name="Run", exact=True).click()
    panel = page.get_by_role("region", name="Run", exact=True)
    panel.get_by_label("Topic").fill("tea")
    panel.get_by_role("button", name="Run the draft").click()
    expect(card(page, "ask")).to_have_attribute("data-status", "asks")
    return panel


def test_an_approval_of_a_draft_run_is_answered_in_the_editor(
    page: Page, stack: RunningStack
) -> None:
    panel = begin(page, stack)
    expect(page.get_by_role("status", name="Run")).to_contain_text(
        "The run waits for an answer at ask: Post tea?"
    )
    expect(panel.get_by_role("list", name="Waits")).to_contain_text("Post tea?")

    card(page, "ask").get_by_role("button", name="Answer ask").click()
    dialog = page.get_by_role("dialog", name="Post tea?")
    expect(dialog).to_contain_text("Read it first.")
    expect(dialog.get_by_role("region", name="Value")).to_contain_text("tea")
    page.keyboard.press("Escape")
    opener = card(page, "ask").get_by_role("button", name="Answer ask")
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Approve").click()
    expect(dialog.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Reason").fill("It is good")
    dialog.get_by_role("button", name="Approve").click()

    expect(dialog).to_have_count(0)
    expect(card(page, "ask")).to_contain_text("Approved")
    expect(card(page, "pause")).to_have_attribute("data-status", "waiting")
    expect(card(page, "pause").get_by_role("progressbar")).to_be_visible()
    expect(panel.get_by_role("list", name="Waits")).not_to_contain_text("Post tea?")
    panel.get_by_role("button", name="Cancel").click()
    expect(card(page, "pause")).to_have_attribute("data-status", "cancelled")
    expect(panel.get_by_role("list", name="Waits")).to_have_count(0)


def test_a_run_that_asks_is_found_again_and_refused_from_the_settings_of_its_node(
    page: Page, stack: RunningStack
) -> None:
    begin(page, stack)

    page.reload()
    expect(card(page, "ask")).to_have_attribute("data-status", "asks")
    expect(card(page, "ask").get_by_role("button", name="Copy the approval link")).to_be_visible()
    assert violations(page) == []
    pick(page, "ask")
    page.get_by_role("group", name="Runs of the node").get_by_role("button", name="Answer").click()
    assert violations(page) == []
    page.get_by_role("dialog").get_by_role("button", name="Refuse").click()

    expect(card(page, "ask")).to_contain_text("Refused")
    expect(card(page, "pause")).to_have_attribute("data-status", "skipped")
    expect(card(page, "result")).to_have_attribute("data-status", "completed")


def test_an_answer_by_another_program_is_seen_in_the_editor(
    page: Page, stack: RunningStack
) -> None:
    begin(page, stack)
    card(page, "ask").get_by_role("button", name="Answer ask").click()
    dialog = page.get_by_role("dialog")
    _, listed = stack.api("GET", "/api/executions?status=processing&limit=1")
    execution = listed["rows"][0]["executionId"]

    status, answer = stack.api(
        "POST", f"/api/executions/{execution}/approvals/ask", {"decision": "refuse"}
    )

    assert (status, answer["decision"]) == (200, "refuse")
    expect(dialog).to_contain_text("it is refused already")
    expect(dialog.get_by_role("button", name="Refuse")).to_have_count(0)
    expect(card(page, "ask")).to_contain_text("Refused")


def test_approvals_of_items_are_answered_from_the_card_of_their_node(
    page: Page, stack: RunningStack
) -> None:
    nodes = [
        node("form", "requestInput", fields=[{"name": "rows", "label": "Rows", "type": "json"}]),
        node("each", "forEach", body=BODY),
        node("result", "responseOutput"),
    ]
    wires = (wire("form.rows", "each.item"), wire("each.results-out", "result.result-in"))
    slug = save_draft(stack, "Asks for each", nodes, *wires)
    page.goto(f"/app/editor/{slug}")
    card(page, "result").wait_for()
    page.get_by_role("button", name="Run", exact=True).click()
    panel = page.get_by_role("region", name="Run", exact=True)
    panel.get_by_label("Rows").fill('["tea", "mug"]')
    panel.get_by_role("button", name="Run the draft").click()

    expect(card(page, "each")).to_contain_text("2 wait for an answer")
    asked = panel.get_by_role("list", name="Waits").get_by_role("listitem")
    asked.filter(has_text="Post tea?").get_by_role("button", name="Answer").click()
    page.get_by_role("dialog", name="Post tea?").get_by_role("button", name="Approve").click()
    expect(asked).to_have_count(1)

    card(page, "each").get_by_role("button", name="Answer ask").click()
    page.get_by_role("dialog", name="Post mug?").get_by_role("button", name="Refuse").click()
    expect(card(page, "each")).to_have_attribute("data-status", "completed")
    expect(card(page, "result")).to_have_attribute("data-status", "completed")


def test_a_changed_wait_is_told_in_words_before_it_is_published(
    page: Page, stack: RunningStack
) -> None:
    slug = save_draft(stack, "Changed waits", NODES, *WIRES)
    _, published = stack.api("POST", f"/api/workflows/{slug}/publish", {})
    ask, pause = published["nodes"][1], published["nodes"][2]
    ask["data"] |= {"timeoutSeconds": 129_600, "onTimeout": "approve"}
    pause["data"] = {"seconds": 90}
    stack.api("PUT", f"/api/workflows/{slug}/draft", published)
    page.goto(f"/app/editor/{slug}")
    card(page, "result").wait_for()

    page.get_by_role("button", name="Publish", exact=True).click()

    changes = page.get_by_role("dialog").get_by_role("region", name="Nodes")
    expect(changes).to_contain_text("Time to answer")
    expect(changes).to_contain_text("1 day 12 hours")
    expect(changes).to_contain_text("It counts as approved")
    expect(changes).to_contain_text("1 minute 30 seconds")
