from typing import Any

import pytest

from tests.support.contract.installation import Caller, failing, never
from tests.support.contract.shapes import (
    assert_fits,
    moment,
    moment_or_null,
    number,
    sentence,
    text_or_null,
    whole_or_null,
)
from tests.support.gateway.documents import greeting

UNKNOWN = "00000000-0000-4000-8000-000000000000"
NODE = {
    "id": str,
    "type": str,
    "status": "completed",
    "attempts": int,
    "startedAt": moment_or_null,
    "durationMs": whole_or_null,
    "creditsCost": number,
    "error": None,
}


DETAILS = {
    "retryOf": None,
    "waitingFor": [],
    "inputs": dict,
    "keyId": str,
    "httpRequestId": str,
    "traceId": text_or_null,
    "traceUrl": text_or_null,
    "deliveries": [],
}


def row(execution_id: str, slug: str, status: str, **more: Any) -> dict[str, Any]:
    """Return the shape of an execution without its nodes."""
    return {
        "executionId": execution_id,
        "requestId": execution_id,
        "workflowSlug": slug,
        "workflowVersion": 1,
        "source": "api-workflow",
        "status": status,
        "result": None,
        "error": None,
        "creditsCost": number,
        "durationMs": int,
        "createdAt": moment,
        "startedAt": moment,
        "completedAt": moment,
        "modelIds": [],
        "tags": [],
        "batchId": None,
        "batchIndex": None,
        "replayId": None,
        "testRunId": None,
        "triggerId": None,
        "occurrenceId": None,
        "alias": None,
        "parentId": None,
        "parentNodeId": None,
        "rootId": None,
        "depth": 0,
        "childIndex": None,
        **more,
    }


def test_a_completed_execution_is_shown_with_its_nodes(caller: Caller) -> None:
    slug = caller.save(greeting())
    execution_id = caller.start(slug, {"name": "Eve"})

    shown = caller.ended(execution_id)

    result = {"text": "Hello Eve"}
    assert_fits(shown, row(execution_id, slug, "completed", result=result, nodes=[NODE], **DETAILS))
    assert [each["id"] for each in shown["nodes"]] == ["in", "text", "out"]
    assert [each["type"] for each in shown["nodes"]] == [
        "requestInput",
        "textBox",
        "responseOutput",
    ]
    assert shown["createdAt"] <= shown["startedAt"] <= shown["completedAt"]


def test_an_execution_that_goes_on_has_no_end_yet(caller: Caller) -> None:
    slug = caller.save(never())
    execution_id = caller.start(slug)

    shown = caller.execution(execution_id)

    open_ended = {"durationMs": None, "startedAt": moment_or_null, "completedAt": None}
    node = {**NODE, "status": str, "error": lambda value: value is None or isinstance(value, dict)}
    assert_fits(shown, row(execution_id, slug, "processing", **open_ended, nodes=[node], **DETAILS))


def test_a_failed_execution_says_what_failed(caller: Caller) -> None:
    execution_id = caller.start(caller.save(failing()))

    shown = caller.ended(execution_id)

    assert (shown["status"], shown["result"]) == ("failed", None)
    assert_fits(shown["error"], {"code": str, "message": sentence, "nodeId?": "sum"})
    statuses = {each["id"]: each["status"] for each in shown["nodes"]}
    assert statuses["text"] == "completed"
    assert statuses["sum"] == "failed"


@pytest.mark.parametrize(
    "path", [UNKNOWN, UNKNOWN.upper(), "x", "%2e%2e", "0" * 500, f"{UNKNOWN}%00"]
)
@pytest.mark.parametrize("verb", ["", "/cancel"])
def test_an_unknown_execution_is_not_found(caller: Caller, path: str, verb: str) -> None:
    answer = caller.request("POST" if verb else "GET", f"/api/executions/{path}{verb}")

    assert answer.status_code == 404
    assert_fits(answer.json(), {"error": sentence, "code": "EXECUTION_NOT_FOUND"})


@pytest.mark.parametrize("verb", ["", "/cancel"])
def test_a_foreign_execution_is_answered_like_an_unknown_one(
    caller: Caller, stranger: Caller, verb: str
) -> None:
    execution_id = caller.start(caller.save(never()))
    method = "POST" if verb else "GET"

    foreign = stranger.client.request(method, f"/api/executions/{execution_id}{verb}")
    unknown = stranger.client.request(method, f"/api/executions/{UNKNOWN}{verb}")

    assert (foreign.status_code, foreign.json()) == (unknown.status_code, unknown.json())
    assert caller.execution(execution_id)["status"] == "processing"


def test_the_list_is_newest_first_in_pages_without_nodes(caller: Caller) -> None:
    slug = caller.save(greeting())
    ids = [caller.run(slug, {"name": "Eve"}).json()["executionId"] for _ in range(5)]
    path = f"/api/executions?workflowSlug={slug}&limit=2"
    observed, page = [], caller.get(path).json()
    for length in (2, 2, 1):
        assert len(page["rows"]) == length
        observed += page["rows"]
        if page["nextCursor"] is not None:
            page = caller.get(f"{path}&cursor={page['nextCursor']}").json()

    assert page["nextCursor"] is None
    assert [each["executionId"] for each in observed] == ids[::-1]
    for each in observed:
        result = {"text": "Hello Eve"}
        assert_fits(each, row(each["executionId"], slug, "completed", result=result))


def test_the_list_is_chosen_by_status_and_workflow(caller: Caller) -> None:
    works, fails = caller.save(greeting()), caller.save(failing())
    done, failed = caller.start(works, {"name": "Eve"}), caller.start(fails)
    caller.ended(done), caller.ended(failed)

    def ids(query: str) -> list[str]:
        rows = caller.get(f"/api/executions?{query}").json()["rows"]
        return [each["executionId"] for each in rows]

    assert ids(f"workflowSlug={works}&status=completed") == [done]
    assert ids(f"workflowSlug={works}&status=failed") == []
    assert ids(f"workflowSlug={fails}") == [failed]
    assert {done, failed} <= set(ids(""))


def test_the_list_has_ones_own_alone(caller: Caller, stranger: Caller) -> None:
    execution_id = caller.start(caller.save(greeting()), {"name": "Eve"})

    rows = stranger.get("/api/executions?limit=500").json()["rows"]

    assert execution_id not in [each["executionId"] for each in rows]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("status", value) for value in ("done", "")),
        *(("limit", value) for value in ("0", "501", "1.5", "-1", "٣", "9" * 50, "many")),
        *(("cursor", value) for value in ("x", "", "MTIz", "é", "a" * 999)),
        ("workflowSlug", "No_Such"),
    ],
)
def test_a_query_value_that_does_not_parse_is_refused_by_name(
    caller: Caller, field: str, value: str
) -> None:
    answer = caller.get("/api/executions", params={field: value})

    assert answer.status_code == 400
    assert_fits(answer.json(), {"error": sentence, "code": "INVALID_QUERY", "field": field})


def test_a_cancel_is_accepted_and_no_further_node_starts(caller: Caller) -> None:
    execution_id = caller.start(caller.save(never()))

    answer = caller.post(f"/api/executions/{execution_id}/cancel")
    shown = caller.ended(execution_id)

    assert answer.status_code == 202
    assert answer.json() == {"executionId": execution_id, "status": "cancel_requested"}
    assert (shown["status"], shown["result"]) == ("cancelled", None)
    assert "completed" not in {each["status"] for each in shown["nodes"]}


def test_an_execution_that_is_cancelled_at_any_moment_ends(caller: Caller) -> None:
    slug = caller.save(never())
    ids = []
    for _ in range(60):
        ids.append(caller.start(slug))
        caller.post(f"/api/executions/{ids[-1]}/cancel")

    assert {caller.ended(each)["status"] for each in ids} == {"cancelled"}


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_what_has_ended_cannot_be_cancelled(caller: Caller, status: str) -> None:
    document = {"completed": greeting(), "failed": failing(), "cancelled": never()}[status]
    execution_id = caller.start(caller.save(document), {"name": "Eve"})
    if status == "cancelled":
        caller.post(f"/api/executions/{execution_id}/cancel")
    caller.ended(execution_id)

    answer = caller.post(f"/api/executions/{execution_id}/cancel")

    assert answer.status_code == 409
    expected = {"error": sentence, "code": "EXECUTION_NOT_CANCELLABLE", "status": status}
    assert_fits(answer.json(), expected)
