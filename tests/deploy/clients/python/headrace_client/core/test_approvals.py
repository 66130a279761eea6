import json
from typing import Any

import pytest

from headrace_client import ConflictError, ConnectionFailedError
from headrace_client.core.approvals import answer_approval, list_approvals
from headrace_client.core.decoding import decode
from headrace_client.models import Approval, Execution
from headrace_client.webhooks import ExecutionWebhook
from tests.support.http.clients.fake_driver import FakeDriver, answer, broken

AT = "2026-12-01T10:00:00.000Z"
FORM = [{"name": "urgent", "label": "Urgent", "type": "toggle", "required": True}]
WAIT = {"nodeId": "ask", "kind": "approval", "since": AT, "until": AT}
ROW: dict[str, Any] = {
    "executionId": "e1",
    "rootId": None,
    "nodeId": "ask",
    "workflowSlug": "s",
    "title": "Post it?",
    "message": "",
    "fields": FORM,
    "since": AT,
    "until": AT,
    "url": "https://example.org/approvals/token",
}
ANSWER = {
    "decision": "approve",
    "fields": {"urgent": True},
    "note": None,
    "by": {"kind": "key", "id": "key_1"},
    "at": AT,
}


def test_approvals_are_listed_page_by_page() -> None:
    last = {"rows": [ROW | {"nodeId": "b"}], "nextCursor": None}
    driver = FakeDriver([answer(200, {"rows": [ROW], "nextCursor": "n"}), answer(200, last)])

    driver.drive(list_approvals(driver.session(), 1))

    first, second = driver.emitted
    assert isinstance(first, Approval) and isinstance(second, Approval)
    assert (first.node_id, first.root_id, second.node_id) == ("ask", None, "b")
    assert (first.fields[0]["name"], first.url) == ("urgent", ROW["url"])
    assert [each.path for each in driver.requests] == ["/api/approvals"] * 2
    assert sorted(driver.requests[1].query) == [("cursor", "n"), ("limit", "1")]


def test_an_answer_names_its_execution_and_node() -> None:
    driver = FakeDriver([answer(200, ANSWER)])

    given = driver.drive(
        answer_approval(driver.session(), "e1", "a node", "approve", {"urgent": True}, None)
    )

    [request] = driver.requests
    assert (request.method, request.path) == ("POST", "/api/executions/e1/approvals/a%20node")
    body = {"decision": "approve", "fields": {"urgent": True}, "note": None}
    assert json.loads(request.body or b"") == body
    assert (given.decision, given.by.kind, given.by.id) == ("approve", "key", "key_1")


def test_a_lost_answer_is_not_sent_again() -> None:
    driver = FakeDriver([broken(), answer(200, ANSWER)])

    with pytest.raises(ConnectionFailedError):
        driver.drive(answer_approval(driver.session(), "e1", "ask", "refuse", None, "No"))

    assert len(driver.requests) == 1


def test_an_earlier_answer_is_a_conflict_that_tells_the_decision() -> None:
    body = {"error": "Answered", "code": "APPROVAL_ANSWERED", "decision": "refuse", "at": AT}
    driver = FakeDriver([answer(409, body)])

    with pytest.raises(ConflictError) as refused:
        driver.drive(answer_approval(driver.session(), "e1", "ask", "approve", None, None))

    assert refused.value.body["decision"] == "refuse"


def test_waits_of_executions_and_webhooks_are_typed() -> None:
    below = WAIT | {"executionId": "e2", "title": "Post it?", "message": "", "fields": FORM}
    row = {
        "executionId": "e1",
        "workflowSlug": "s",
        "workflowVersion": 1,
        "source": "api-workflow",
        "status": "processing",
        "result": None,
        "error": None,
        "creditsCost": 0,
        "durationMs": None,
        "createdAt": AT,
        "startedAt": AT,
        "completedAt": None,
        "waitingFor": [{**WAIT, "kind": "delay"}, below],
    }
    told = {"event": "execution.waiting", "executionId": "e1", "waiting": below | {"url": "u"}}

    delay, asked = decode(Execution, row).waiting_for
    waiting = decode(ExecutionWebhook, told).waiting

    assert (delay.kind, delay.title, delay.fields, delay.url) == ("delay", None, (), None)
    assert (asked.execution_id, asked.title) == ("e2", "Post it?")
    assert waiting is not None and (waiting.url, waiting.node_id) == ("u", "ask")
