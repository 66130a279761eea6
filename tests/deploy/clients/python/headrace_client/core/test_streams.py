import pytest

from headrace_client import ConnectionFailedError, ServerError, WaitTimeoutError
from headrace_client.core.runs import stream, watch
from tests.support.http.clients.fake_driver import EVENTS, FakeDriver, answer, broken, event

STARTED = event(1, "execution.started")
NODE = event(2, "node.started", nodeId="a")
FINISHED = event(3, "execution.finished", status="completed")


def names(driver: FakeDriver) -> list[str]:
    return [each.event for each in driver.emitted]


def test_a_broken_stream_goes_on_after_its_last_event() -> None:
    driver = FakeDriver([EVENTS, STARTED + NODE[:9], broken(), broken(), EVENTS, NODE, FINISHED])

    driver.drive(stream(driver.session(), "s", {}, {}))

    assert names(driver) == ["execution.started", "node.started", "execution.finished"]
    assert [(request.method, request.path) for request in driver.requests] == [
        ("POST", "/api/workflows/s/run"),
        ("GET", "/api/executions/e1/events"),
        ("GET", "/api/executions/e1/events"),
    ]
    assert driver.requests[2].headers["last-event-id"] == "1.1"


def test_a_stream_without_any_event_begins_the_same_run_again() -> None:
    driver = FakeDriver([EVENTS, b"", EVENTS, STARTED, FINISHED])

    driver.drive(stream(driver.session(), "s", {}, {}))

    first, second = driver.requests
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert (first.method, second.method) == ("POST", "POST")


def test_a_stream_behind_the_last_event_is_at_its_end() -> None:
    driver = FakeDriver([answer(204)])

    driver.drive(watch(driver.session(), "e1", "3.1", {}))

    assert driver.emitted == []


def test_streams_that_end_time_after_time_are_an_error() -> None:
    driver = FakeDriver([EVENTS, STARTED] + [b"", EVENTS] * 3)

    with pytest.raises(ConnectionFailedError, match="time after time"):
        driver.drive(stream(driver.session(max_retries=2), "s", {}, {}))


def test_each_event_gives_new_retries() -> None:
    events = [event(number, "node.progress") for number in range(2, 9)]
    cut = [outcome for each in events for outcome in (EVENTS, each, b"")]
    driver = FakeDriver([EVENTS, STARTED, b"", *cut, EVENTS, event(9, "execution.finished")])

    driver.drive(stream(driver.session(max_retries=1), "s", {}, {}))

    assert len(driver.emitted) == 9


def test_the_timeout_names_the_execution_that_goes_on() -> None:
    driver = FakeDriver([EVENTS, STARTED, b"", EVENTS, b""])

    with pytest.raises(WaitTimeoutError) as raised:
        driver.drive(stream(driver.session(timeout=0.4), "s", {}, {}))
    assert raised.value.execution_id == "e1"
    assert ("timeout", "0.400") in driver.requests[0].query


def test_an_answer_that_is_no_stream_is_an_error() -> None:
    driver = FakeDriver([answer(200, {"success": True})])

    with pytest.raises(ServerError, match="no stream"):
        driver.drive(stream(driver.session(), "s", {}, {}))
