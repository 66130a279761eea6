import pytest

from headrace_client import ConnectionFailedError, RateLimitError, ServerError, WaitTimeoutError
from headrace_client.core.effects import Request
from headrace_client.core.session import json_request
from headrace_client.errors import InvalidRequestError
from tests.support.http.clients.fake_driver import FakeDriver, answer, broken

GET = Request(method="GET", path="/api/executions")
UNAVAILABLE = answer(503, {"error": "Not now", "code": "UNAVAILABLE"}, retry_after="3")
TOO_MANY = answer(429, {"error": "Too many", "code": "RATE_LIMIT_EXCEEDED"}, retry_after="2")


def test_a_broken_connection_is_tried_again_after_growing_pauses() -> None:
    driver = FakeDriver([broken(), broken(), broken(), answer(200, {"a": 1})])
    session = driver.session()

    assert driver.drive(session.fetch(GET, session.deadline())) == {"a": 1}
    assert driver.pauses == [0.5, 1.0, 2.0]


def test_the_last_failure_is_raised_after_all_retries() -> None:
    driver = FakeDriver([broken()] * 3)
    session = driver.session(max_retries=2)

    with pytest.raises(ConnectionFailedError, match="broken"):
        driver.drive(session.send(GET, session.deadline()))
    assert len(driver.requests) == 3


def test_retry_after_is_kept_to() -> None:
    driver = FakeDriver([UNAVAILABLE, TOO_MANY, answer(200, {"a": 1})])
    session = driver.session()

    driver.drive(session.send(GET, session.deadline()))

    assert driver.pauses == [3.0, 2.0]


def test_a_429_does_not_use_up_retries() -> None:
    driver = FakeDriver([TOO_MANY] * 9 + [answer(200, {"a": 1})])
    session = driver.session(max_retries=0)

    assert driver.drive(session.fetch(GET, session.deadline())) == {"a": 1}


def test_a_pause_over_the_timeout_is_an_error_at_once() -> None:
    driver = FakeDriver([TOO_MANY])
    session = driver.session(timeout=1.5)

    with pytest.raises(RateLimitError) as raised:
        driver.drive(session.send(GET, session.deadline()))
    assert (raised.value.retry_after, driver.pauses) == (2.0, [])


def test_a_call_that_is_not_repeatable_is_repeated_only_where_nothing_began() -> None:
    post = json_request("/api/assets")
    driver = FakeDriver([broken(was_sent=False), UNAVAILABLE, broken()])
    session = driver.session()

    with pytest.raises(ConnectionFailedError):
        driver.drive(session.send(post, session.deadline(), is_repeatable=False))
    assert len(driver.requests) == 3


@pytest.mark.parametrize(
    ("first", "repeats"),
    [
        (answer(502), True),
        (answer(500, {"error": "Ours", "code": "INTERNAL_ERROR"}), True),
        (answer(500, {"error": "Ours", "code": "INTERNAL_ERROR", "executionId": "e"}), False),
        (answer(500, {"error": "A node", "code": "EXECUTION_FAILED"}), False),
        (answer(400, {"error": "No", "code": "INVALID_BODY"}), False),
    ],
)
def test_only_what_may_pass_is_repeated(first: object, repeats: bool) -> None:
    driver = FakeDriver([first, answer(200, {"a": 1})])  # type: ignore[list-item]
    session = driver.session()

    if repeats:
        driver.drive(session.send(GET, session.deadline()))
    else:
        with pytest.raises((ServerError, InvalidRequestError)):
            driver.drive(session.send(GET, session.deadline()))
    assert len(driver.requests) == 1 + repeats


def test_a_body_is_the_same_bytes_in_each_attempt() -> None:
    post = json_request("/run", {"inputs": {"b": "ä", "a": 1}}, headers={"idempotency-key": "k"})
    driver = FakeDriver([broken(), answer(200, {"a": 1})])
    session = driver.session()

    driver.drive(session.send(post, session.deadline()))

    assert len({request.body for request in driver.requests}) == 1
    assert driver.requests[1].headers["idempotency-key"] == "k"


def test_an_answer_of_another_server_is_an_error_that_says_so() -> None:
    driver = FakeDriver([answer(200)])
    session = driver.session()

    with pytest.raises(ServerError, match="base URL"):
        driver.drive(session.fetch(GET, session.deadline()))


def test_a_full_window_beyond_the_timeout_is_an_error_before_any_request() -> None:
    window = {
        "x_ratelimit_limit": "1",
        "x_ratelimit_remaining": "0",
        "x_ratelimit_reset": "60",
        "date": "Thu, 01 Jan 1970 00:00:10 GMT",
    }
    driver = FakeDriver([answer(200, {"a": 1}, **window)])
    session = driver.session(timeout=20)
    driver.drive(session.send(GET, session.deadline(), bucket="runs"))

    with pytest.raises(WaitTimeoutError, match="rate limit"):
        driver.drive(session.send(GET, session.deadline(), bucket="runs"))
    assert len(driver.requests) == 1
