import secrets
from typing import Any

import pytest

from tests.support.acceptance.running_stack import until
from tests.support.contract.installation import (
    Administration,
    Caller,
    asking,
    failing,
    field,
    form,
    never,
    workflow,
)
from tests.support.contract.shapes import assert_fits, moment, moment_or_null, sentence
from tests.support.gateway.documents import edge, greeting, node

ROUTES = {
    "GET /api/executions/{execution_id}/nodes/{node_id}": "execution:read",
    "GET /api/executions/{execution_id}/values": "execution:read",
}
UNKNOWN = "00000000-0000-4000-8000-000000000000"
ATTEMPT = {
    "number": int,
    "startedAt": moment,
    "endedAt": moment_or_null,
    "queuedMs": int,
    "worker": lambda value: value is None or isinstance(value, str),
    "error": lambda value: value is None or set(value) == {"code", "message"},
}
STEP = {
    "number": int,
    "kind": str,
    "name": str,
    "status": "completed",
    "input": list,
    "output": dict,
    "error": None,
    "creditsCost": int,
    "durationMs": int,
    "childExecutionId": str,
}
VALUES = {
    "inputs": dict,
    "outputs": lambda value: value is None or isinstance(value, dict),
    "recorded": True,
    "attempts": [ATTEMPT],
    "waitedMs": int,
    "creditsCost": int,
}


def node_of(caller: Caller, execution_id: str, node_id: str) -> Any:
    answer = caller.get(f"/api/executions/{execution_id}/nodes/{node_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_node_shows_inputs_outputs_and_attempts(caller: Caller) -> None:
    execution_id = caller.start(caller.save(greeting()), {"name": "Eve"})
    caller.ended(execution_id)

    shown = node_of(caller, execution_id, "text")

    assert_fits(shown, VALUES)
    assert (shown["inputs"], shown["outputs"]) == ({"name": "Eve"}, {"text-out": "Hello Eve"})
    (attempt,) = shown["attempts"]
    assert (attempt["number"], attempt["error"]) == (1, None)
    assert attempt["startedAt"] <= attempt["endedAt"]


def test_the_node_before_one_that_failed_shows_what_it_gave(caller: Caller) -> None:
    execution_id = caller.start(caller.save(failing()))
    caller.ended(execution_id)

    before, failed = (node_of(caller, execution_id, each) for each in ("text", "sum"))

    assert_fits(before, VALUES)
    assert_fits(failed, VALUES)
    assert list(failed["inputs"].values()) == list(before["outputs"].values())
    assert failed["outputs"] is None
    assert_fits(failed["attempts"][-1]["error"], {"code": str, "message": sentence})


def test_a_model_shows_its_answer_and_its_cost(
    caller: Caller, administration: Administration, chat: str
) -> None:
    execution_id = caller.start(caller.save(asking(chat)), {"prompt": "Hello"})
    cost = caller.ended(execution_id)["creditsCost"]

    shown = node_of(caller, execution_id, "m0")

    assert_fits(shown, VALUES)
    assert isinstance(shown["outputs"]["text-out"], str)
    assert shown["creditsCost"] == cost
    assert isinstance(shown["attempts"][0]["worker"], str)


def test_attempts_are_told_with_their_errors_and_pauses(caller: Caller, chat: str) -> None:
    document = asking(chat)
    document["nodes"][1]["data"]["retry"] = {"attempts": 3, "backoff": 0.05}
    execution_id = caller.start(
        caller.save(document), {"prompt": "[[stub fail=500 times=1]] Hello"}
    )
    caller.ended(execution_id)

    shown = node_of(caller, execution_id, "m0")

    first, second = shown["attempts"]
    assert_fits(shown, {**VALUES, "attempts": [ATTEMPT]})
    assert [first["number"], second["number"]] == [1, 2]
    assert first["error"]["code"].startswith("PROVIDER_")
    assert second["error"] is None
    assert 40 <= shown["waitedMs"] <= 50
    assert first["endedAt"] <= second["startedAt"]


def test_a_node_that_waits_for_its_retry_shows_what_is_there_so_far(caller: Caller) -> None:
    execution_id = caller.start(caller.save(never()))
    (node_id,) = (
        each["id"]
        for each in caller.execution(execution_id)["nodes"]
        if each["type"] == "httpRequest"
    )

    shown = until(
        lambda: node_of(caller, execution_id, node_id),
        lambda found: found["attempts"] and found["attempts"][0]["endedAt"] is not None,
    )

    assert_fits(shown, VALUES)
    assert shown["outputs"] is None
    assert shown["attempts"][0]["error"] is not None
    assert shown["waitedMs"] > 40_000


def test_a_skipped_node_has_no_attempts(caller: Caller) -> None:
    document = greeting()
    document["nodes"].append(node("aside", "textBox", text="unused"))
    execution_id = caller.start(caller.save(document), {"name": "Eve"})
    caller.ended(execution_id)

    shown = node_of(caller, execution_id, "aside")

    assert_fits(shown, {**VALUES, "outputs": None, "attempts": []})


def test_a_value_over_64_kib_is_at_a_link(caller: Caller) -> None:
    document = {
        "name": "Long",
        "nodes": [node("text", "textBox", text="x" * 66_000), node("out", "responseOutput")],
        "edges": [edge("text", "text-out", "out", "result-in")],
    }
    execution_id = caller.start(caller.save(document))
    caller.ended(execution_id)

    value = node_of(caller, execution_id, "text")["outputs"]["text-out"]

    assert_fits(value, {"truncated": True, "bytes": 66_002, "url": str})
    assert caller.get(value["url"]).json() == "x" * 66_000


def test_an_execution_shows_what_it_was_called_with(caller: Caller) -> None:
    slug = caller.save(greeting())
    answer = caller.run(slug, {"name": "Eve"}, headers={"x-request-id": "my-request-7"})

    shown = caller.execution(answer.json()["executionId"])

    assert shown["inputs"] == {"name": "Eve"}
    assert shown["httpRequestId"] == "my-request-7" == answer.headers["x-request-id"]
    assert isinstance(shown["keyId"], str)
    assert shown["deliveries"] == []
    row = caller.get(f"/api/executions?workflowSlug={slug}").json()["rows"][0]
    assert not {"inputs", "keyId", "httpRequestId", "deliveries"} & set(row)


def test_an_execution_and_an_error_have_the_trace_of_the_request(caller: Caller) -> None:
    trace_id = secrets.token_hex(16)
    headers = {"traceparent": f"00-{trace_id}-{'2b' * 8}-00"}
    answer = caller.run(caller.save(greeting()), {"name": "Eve"}, headers=headers)
    execution_id = answer.json()["executionId"]

    assert caller.execution(execution_id)["traceId"] == trace_id
    rows = caller.get(f"/api/executions?traceId={trace_id}").json()["rows"]
    assert [each["executionId"] for each in rows] == [execution_id]
    refused = caller.run(caller.save(greeting()), {"name": 7}, headers=headers)
    assert (refused.status_code, refused.json()["traceId"]) == (400, trace_id)


def test_large_inputs_of_an_execution_are_at_a_link(caller: Caller) -> None:
    document = greeting()
    fields = document["nodes"][0]["data"]["fields"]
    fields[0] = {**fields[0], "type": "textarea", "maxLength": 100_000}
    execution_id = caller.start(caller.save(document), {"name": "x" * 66_000})

    inputs = caller.execution(execution_id)["inputs"]

    assert_fits(inputs, {"truncated": True, "bytes": int, "url": str})
    assert caller.get(inputs["url"]).json() == {"name": "x" * 66_000}


def test_a_run_in_the_browser_has_no_key(browser: Caller) -> None:
    answer = browser.run(browser.save(greeting()), {"name": "Eve"})

    assert browser.execution(answer.json()["executionId"])["keyId"] is None


def test_a_delivery_is_named_once_the_execution_has_ended(
    caller: Caller, administration: Administration, browser: Caller, browser_account: str
) -> None:
    made = browser.post("/api/api-keys", {"name": "hooks", "preset": "Run with webhooks"}).json()
    browser.put(f"/api/api-keys/{made['id']}/webhook", {"url": "http://127.0.0.1:9/hook"})
    key = administration.with_key(made["key"])
    execution_id = key.start(browser.save(greeting()), {"name": "Eve"})

    shown = key.ended(execution_id)

    assert shown["deliveries"] == [{"id": execution_id, "keyId": made["id"]}]
    assert shown["keyId"] == made["id"]


@pytest.mark.parametrize("path", [f"{UNKNOWN}/nodes/text", "x/nodes/text", f"{UNKNOWN}/values"])
def test_nothing_is_told_of_an_unknown_execution(caller: Caller, path: str) -> None:
    answer = caller.get(f"/api/executions/{path}")

    assert answer.status_code == 404
    assert_fits(answer.json(), {"error": sentence, "code": "EXECUTION_NOT_FOUND"})


def test_a_node_that_the_workflow_lacks_is_not_found(caller: Caller) -> None:
    execution_id = caller.start(caller.save(greeting()), {"name": "Eve"})

    answer = caller.get(f"/api/executions/{execution_id}/nodes/nobody")

    assert answer.status_code == 404
    assert_fits(answer.json(), {"error": sentence, "code": "NODE_NOT_FOUND"})


def test_a_foreign_node_is_answered_like_an_unknown_one(caller: Caller, stranger: Caller) -> None:
    execution_id = caller.start(caller.save(greeting()), {"name": "Eve"})

    for path in ("nodes/text", "values", "values?node=text&output=text-out"):
        foreign = stranger.get(f"/api/executions/{execution_id}/{path}")
        unknown = stranger.get(f"/api/executions/{UNKNOWN}/{path}")

        assert foreign.json()["code"] == "EXECUTION_NOT_FOUND"
        assert (foreign.status_code, foreign.json()) == (unknown.status_code, unknown.json())


def agent(model: str) -> dict[str, Any]:
    """Return a workflow whose agent has no tools."""
    nodes = [
        form(field("prompt", "text", required=True)),
        node("agent", "agent", model=model),
        node("out", "responseOutput"),
    ]
    edges = [
        edge("in", "prompt", "agent", "prompt-in"),
        edge("agent", "text-out", "out", "result-in"),
    ]
    return workflow(nodes, edges)


def test_an_agent_shows_its_steps_and_each_of_their_values(caller: Caller, chat: str) -> None:
    execution_id = caller.start(caller.save(agent(chat)), {"prompt": "Hello"})
    text = caller.ended(execution_id)["result"]["text"]

    shown = node_of(caller, execution_id, "agent")

    assert_fits(shown, {**VALUES, "steps": [STEP]})
    (step,) = shown["steps"]
    assert (step["number"], step["kind"], step["name"]) == (1, "model", chat)
    assert step["input"] == [{"role": "user", "text": "Hello"}]
    assert step["output"] == {"text": text, "calls": []}
    child = caller.get(f"/api/executions/{step['childExecutionId']}").json()
    assert (child["parentId"], child["parentNodeId"]) == (execution_id, "agent")
    path = f"/api/executions/{execution_id}/values"
    for part in ("input", "output"):
        query = {"node": "agent", "step": 1, "part": part}
        assert caller.get(path, params=query).json() == step[part]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"step": 2, "part": "input"}, 404, "NOT_FOUND"),
        ({"step": 1}, 400, "INVALID_QUERY"),
        ({"step": 1, "part": "name"}, 400, "INVALID_QUERY"),
        ({"step": "one", "part": "input"}, 400, "INVALID_QUERY"),
    ],
)
def test_a_step_that_is_not_there_and_a_wrong_part_are_refused(
    caller: Caller, chat: str, query: dict[str, Any], status: int, code: str
) -> None:
    execution_id = caller.start(caller.save(agent(chat)), {"prompt": "Hello"})
    caller.ended(execution_id)

    answer = caller.get(f"/api/executions/{execution_id}/values", params={"node": "agent", **query})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
