import json
from typing import Any

import pytest

from headrace_client import (
    CreditsError,
    ExecutionCancelledError,
    ExecutionFailedError,
    HeadraceError,
    WaitTimeoutError,
)
from headrace_client.core.runs import run, start
from tests.support.http.clients.fake_driver import FakeDriver, answer, broken

DONE = answer(
    200, {"success": True, "result": {"text": "x"}, "cost": 2, "ms": 5, "executionId": "e1"}
)
ACCEPTED = answer(
    202,
    {
        "_async": True,
        "executionId": "e1",
        "requestId": "e1",
        "status": "processing",
        "webhookDelivery": {"configured": False},
        "pollUrl": "/api/executions/e1",
    },
)


def execution(status: str, **members: Any) -> dict[str, Any]:
    return {
        "executionId": "e1",
        "workflowSlug": "s",
        "workflowVersion": 1,
        "source": "api-workflow",
        "status": status,
        "result": None,
        "error": None,
        "creditsCost": 3,
        "durationMs": 7,
        "createdAt": "2026-11-30T10:00:00.000Z",
        "startedAt": None,
        "completedAt": None,
        **members,
    }


def test_options_go_where_the_api_has_them() -> None:
    driver = FakeDriver([DONE])
    options: Any = {
        "version": 3,
        "max_credits": 10,
        "tags": ["a"],
        "webhook": {"url": "https://example.org"},
        "idempotency_key": "mine",
        "timeout": 5,
    }

    done = driver.drive(run(driver.session(), "a b", {"n": 1}, options))

    [request] = driver.requests
    assert (done.result, done.cost, done.execution_id) == ({"text": "x"}, 2, "e1")
    assert request.path == "/api/workflows/a%20b/run"
    assert dict(request.query) == {"version": "3", "max_credits": "10", "timeout": "5.000"}
    assert request.headers["idempotency-key"] == "mine"
    assert json.loads(request.body or b"") == {
        "inputs": {"n": 1},
        "tags": ["a"],
        "webhook": {"url": "https://example.org"},
    }


def test_each_call_has_a_key_of_its_own() -> None:
    driver = FakeDriver([DONE, DONE])
    session = driver.session()
    for _ in range(2):
        driver.drive(run(session, None, None, {"model": "m"}))

    assert len({request.headers["idempotency-key"] for request in driver.requests}) == 2
    assert driver.requests[0].path == "/api/models/m/run"


@pytest.mark.parametrize(("slug", "options"), [(None, {}), ("", {}), ("s", {"model": "m"})])
def test_a_run_is_of_a_workflow_or_of_a_model(slug: str | None, options: Any) -> None:
    driver = FakeDriver([])

    with pytest.raises(HeadraceError, match="slug"):
        driver.drive(run(driver.session(), slug, {}, options))


def test_a_202_is_polled_to_its_end() -> None:
    ended = execution("completed", result=7)
    driver = FakeDriver([ACCEPTED, answer(200, execution("processing")), answer(200, ended)])

    done = driver.drive(run(driver.session(), "s", {}, {}))

    assert (done.result, done.cost, done.ms) == (7, 3, 7)
    assert [request.path for request in driver.requests[1:]] == ["/api/executions/e1"] * 2


def test_an_earlier_attempt_that_goes_on_is_polled() -> None:
    in_use = {"error": "In use", "code": "IDEMPOTENCY_KEY_IN_USE", "executionId": "e1"}
    ended = execution("completed", result=7)
    driver = FakeDriver([broken(), answer(409, in_use), answer(200, ended)])

    assert driver.drive(run(driver.session(), "s", {}, {})).result == 7


@pytest.mark.parametrize(
    ("record", "kind", "status"),
    [
        (execution("cancelled"), ExecutionCancelledError, 409),
        (
            execution("failed", error={"code": "EXECUTION_FAILED", "message": "m", "nodeId": "a"}),
            ExecutionFailedError,
            500,
        ),
        (
            execution("failed", error={"code": "MAX_CREDITS_EXCEEDED", "message": "m"}),
            CreditsError,
            402,
        ),
    ],
)
def test_a_polled_run_that_did_not_complete_is_the_error_of_a_waiting_caller(
    record: dict[str, Any], kind: type[Exception], status: int
) -> None:
    driver = FakeDriver([ACCEPTED, answer(200, record)])

    with pytest.raises(kind) as raised:
        driver.drive(run(driver.session(), "s", {}, {}))
    error: Any = raised.value
    assert (error.status, error.execution_id) == (status, "e1")


def test_the_caller_s_timeout_names_the_run_that_goes_on() -> None:
    driver = FakeDriver([ACCEPTED] + [answer(200, execution("processing"))] * 20)

    with pytest.raises(WaitTimeoutError) as raised:
        driver.drive(run(driver.session(timeout=2), "s", {}, {}))
    assert raised.value.execution_id == "e1"
    assert 1_002 <= driver.now < 1_003


def test_a_wait_for_any_time_polls_without_end() -> None:
    going = answer(200, execution("processing"))
    driver = FakeDriver([ACCEPTED, *[going] * 2_000, answer(200, execution("completed"))])

    driver.drive(run(driver.session(timeout=None), "s", {}, {}))

    assert driver.pauses[-1] == max(driver.pauses) == 5.0


def test_each_attempt_asks_the_server_for_the_time_that_is_left() -> None:
    too_many = answer(429, {"error": "Too many", "code": "RATE_LIMIT_EXCEEDED"}, retry_after="50")
    driver = FakeDriver([too_many, DONE])

    driver.drive(run(driver.session(timeout=60), "s", {}, {}))

    assert [request.query for request in driver.requests] == [
        (("timeout", "60.000"),),
        (("timeout", "10.000"),),
    ]
    assert [request.silence_seconds for request in driver.requests] == [90.0, 40.0]


def test_a_run_without_a_timeout_waits_as_long_as_the_server_does() -> None:
    driver = FakeDriver([DONE])

    driver.drive(run(driver.session(timeout=None), "s", {}, {}))

    assert driver.requests[0].query == ()
    assert driver.requests[0].silence_seconds == 630.0


def test_a_start_does_not_wait() -> None:
    driver = FakeDriver([ACCEPTED])

    started = driver.drive(start(driver.session(), "s", {}, {}))

    assert (started.execution_id, started.webhook_url) == ("e1", None)
    assert driver.requests[0].query == (("async", "true"),)
