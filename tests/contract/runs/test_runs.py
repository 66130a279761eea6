from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from tests.support.acceptance.running_stack import until
from tests.support.contract.installation import Caller, field, never, params, workflow
from tests.support.contract.shapes import assert_fits, number, sentence, uuid
from tests.support.gateway.documents import edge, greeting, node

RUN_ANSWER = {
    "success": True,
    "result": {"text": "Hello Eve"},
    "cost": number,
    "ms": int,
    "executionId": uuid,
}
ACCEPTED = {
    "_async": True,
    "executionId": uuid,
    "requestId": str,
    "status": "processing",
    "webhookDelivery": {"configured": False},
    "pollUrl": str,
}
FIELDS = [
    field("title", "text", maxLength=5),
    field("size", "number", min=1, max=9, default=3),
    field("step", "slider", min=0, max=10, step=2.5),
    field("pick", "pills", options=["a", "b"]),
    field("on", "toggle"),
    field("photo", "image"),
    field("free", "json"),
]


def test_a_run_answers_with_its_result(caller: Caller) -> None:
    answer = caller.run(caller.save(greeting()), {"name": "Eve"})

    assert answer.status_code == 200
    assert_fits(answer.json(), RUN_ANSWER)


@pytest.mark.parametrize(
    "body", [{}, {"inputs": None}, {"inputs": []}, {"inputs": "a"}, {"inputs": 1}]
)
def test_inputs_is_required_and_an_object(caller: Caller, body: dict[str, Any]) -> None:
    slug = caller.save(greeting())

    answer = caller.post(f"/api/workflows/{slug}/run", body)

    assert answer.status_code == 400
    assert_fits(answer.json(), {"error": sentence, "code": "INVALID_BODY", "field": "inputs"})


def test_missing_fields_take_their_defaults(caller: Caller) -> None:
    slug = caller.save(params(field("size", "number", default=3), field("on", "toggle")))

    assert caller.run(slug, {}).json()["result"] == {"size": 3, "on": None}
    assert caller.run(slug, {"size": 4}).json()["result"] == {"size": 4, "on": None}


def test_a_required_field_without_a_default_must_be_given(caller: Caller) -> None:
    answer = caller.run(caller.save(greeting()), {})

    assert answer.status_code == 400
    expected = {"error": sentence, "code": "INVALID_INPUTS", "field": "name", "reason": sentence}
    assert_fits(answer.json(), expected)


def test_a_required_field_with_a_default_may_be_left_out(caller: Caller) -> None:
    slug = caller.save(params(field("size", "number", required=True, default=3)))

    assert caller.run(slug, {}).json()["result"] == {"size": 3}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", 1),
        ("title", None),
        ("title", "longer"),
        ("size", "3"),
        ("size", True),
        ("size", 0),
        ("size", 10),
        ("step", 3),
        ("pick", "c"),
        ("on", "yes"),
        ("photo", "no url"),
        ("photo", 1),
    ],
)
def test_a_value_that_does_not_fit_its_field_is_refused_by_name(
    caller: Caller, name: str, value: Any
) -> None:
    answer = caller.run(caller.save(params(*FIELDS)), {name: value})

    assert answer.status_code == 400
    expected = {"error": sentence, "code": "INVALID_INPUTS", "field": name, "reason": sentence}
    assert_fits(answer.json(), expected)


def test_values_that_fit_are_taken(caller: Caller) -> None:
    given = {"size": 9, "step": 7.5, "pick": "b", "on": True, "free": {"a": [1, None]}}
    inputs = {**given, "title": "12345", "photo": "https://example.org/a.png"}

    assert caller.run(caller.save(params(*FIELDS)), inputs).json()["result"] == given


def test_unknown_keys_are_ignored(caller: Caller) -> None:
    assert caller.run(caller.save(greeting()), {"name": "Eve", "x": 1}).status_code == 200


def test_unknown_keys_are_refused_by_a_strict_request_input(caller: Caller) -> None:
    slug = caller.save(params(field("size", "number"), strict=True))

    answer = caller.run(slug, {"size": 1, "x": 1})

    assert answer.status_code == 400
    refusal = {"code": "INVALID_INPUTS", "field": "x", "reason": "unknown field"}
    assert_fits(answer.json(), {"error": sentence, **refusal})


def test_a_workflow_without_a_request_input_takes_no_inputs(caller: Caller) -> None:
    nodes = [node("text", "textBox", text="Hi"), node("out", "responseOutput")]
    edges = [edge("text", "text-out", "out", "result-in")]

    assert caller.result(nodes, edges, {}) == {"text": "Hi"}


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        *((f"?timeout={seconds}", {}) for seconds in ("0.2", "0", "1.5e-07")),
        ("", {"prefer": "wait=0"}),
        ("", {"prefer": "respond-async, wait=0.2"}),
        ("?timeout=9", {"prefer": "wait=0"}),
    ],
)
def test_a_wait_that_runs_out_is_answered_like_an_async_run_and_the_execution_goes_on(
    caller: Caller, query: str, headers: dict[str, str]
) -> None:
    answer = caller.run(caller.save(never()), {}, query, headers=headers)

    assert answer.status_code == 202
    assert_fits(answer.json(), ACCEPTED)
    assert caller.execution(answer.json()["executionId"])["status"] == "processing"


@pytest.mark.parametrize("timeout", ["soon", "-1", "", "1e3", "NaN", "1_0"])
def test_a_timeout_that_does_not_parse_is_refused(caller: Caller, timeout: str) -> None:
    answer = caller.run(caller.save(greeting()), {"name": "Eve"}, f"?timeout={timeout}")

    assert answer.status_code == 400
    assert_fits(answer.json(), {"error": sentence, "code": "INVALID_QUERY", "field": "timeout"})


def test_an_execution_goes_on_when_its_caller_hangs_up(caller: Caller) -> None:
    slug = caller.save(never())

    with pytest.raises(httpx2.ReadTimeout):
        caller.run(slug, {}, timeout=0.3)

    (row,) = caller.get(f"/api/executions?workflowSlug={slug}").json()["rows"]
    assert caller.execution(row["executionId"])["status"] == "processing"


def test_who_waits_for_an_execution_that_is_cancelled_is_told(caller: Caller) -> None:
    slug = caller.save(never())
    rows = f"/api/executions?workflowSlug={slug}"
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(caller.run, slug, {})
        (row,) = until(lambda: caller.get(rows).json()["rows"])
        caller.post(f"/api/executions/{row['executionId']}/cancel")
        answer = waiting.result()

    assert answer.status_code == 409
    cancelled = {"code": "EXECUTION_CANCELLED", "executionId": row["executionId"]}
    assert_fits(answer.json(), {"error": sentence, **cancelled})


def test_a_node_that_fails_is_500_with_what_failed(caller: Caller) -> None:
    nodes = [
        node("text", "textBox", text="a"),
        node("sum", "transform", expression="value.missing"),
        node("out", "responseOutput"),
    ]
    edges = [
        edge("text", "text-out", "sum", "value-in"),
        edge("sum", "value-out", "out", "result-in"),
    ]

    answer = caller.run(caller.save(workflow(nodes, edges)))

    assert answer.status_code == 500
    assert_fits(
        answer.json(),
        {
            "error": sentence,
            "code": "EXECUTION_FAILED",
            "nodeId": "sum",
            "nodeType": "transform",
            "nodeCode": "expression_error",
            "reason": str,
            "retryable": False,
            "executionId": uuid,
        },
    )
