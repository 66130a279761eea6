from typing import Any

import pytest
from starlette.testclient import TestClient

from deploy.stub_provider.dialects import duration
from deploy.stub_provider.errors import StubRefused
from deploy.stub_provider.limits import CredentialLimits, LimitOptions
from tests.deploy.stub_provider.conftest import Open


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def is_let_in(limits: CredentialLimits, name: str = "key") -> bool:
    try:
        with limits.count_call(name):
            return True
    except StubRefused as refused:
        assert refused.status == 429
        return False


def call(stub: TestClient, **headers: str) -> Any:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    return stub.post("/v1/chat/completions", json=body, headers=headers)


def test_a_minute_lets_in_as_many_as_it_may_however_often_one_asks() -> None:
    clock = Clock()
    limits = CredentialLimits(LimitOptions(requests_per_minute=120, burst_seconds=1), clock)

    taken = 0
    for tick in range(6_001):
        clock.now = tick / 100
        taken += is_let_in(limits)

    assert taken == 2 + 120


def test_a_refusal_says_when_the_next_call_is_let_in() -> None:
    clock = Clock()
    limits = CredentialLimits(LimitOptions(requests_per_minute=30, burst_seconds=2), clock)
    assert is_let_in(limits)

    with pytest.raises(StubRefused) as refusal, limits.count_call("key"):
        pass
    clock.now = 1.9
    too_early = is_let_in(limits)
    clock.now = 2.0

    assert refusal.value.retry_after == pytest.approx(2)
    assert (too_early, is_let_in(limits)) == (False, True)


def test_credentials_do_not_share_a_limit() -> None:
    limits = CredentialLimits(LimitOptions(requests_per_minute=1), Clock())

    assert [is_let_in(limits, name) for name in ("a", "b", "a")] == [True, True, False]


def test_spent_tokens_must_come_back_before_the_next_call() -> None:
    clock = Clock()
    limits = CredentialLimits(LimitOptions(tokens_per_minute=60), clock)
    assert is_let_in(limits)

    limits.spend("key", 69)

    clock.now = 9.9
    too_early = is_let_in(limits)
    clock.now = 10.0
    assert (too_early, is_let_in(limits)) == (False, True)


def test_calls_at_once_are_limited() -> None:
    limits = CredentialLimits(LimitOptions(concurrency=1), Clock())

    with limits.count_call("key"):
        inside = is_let_in(limits)

    assert (inside, is_let_in(limits)) == (False, True)


def test_every_answer_tells_how_the_limits_stand(open_stub: Open) -> None:
    stub = open_stub(LimitOptions(requests_per_minute=2, tokens_per_minute=1000))

    first, second, third = [call(stub) for _ in range(3)]

    assert [each.status_code for each in (first, second, third)] == [200, 200, 429]
    assert first.headers["x-ratelimit-limit-requests"] == "2"
    assert first.headers["x-ratelimit-remaining-requests"] == "1"
    assert first.headers["x-ratelimit-reset-requests"] == "30s"
    assert first.headers["x-ratelimit-limit-tokens"] == "1000"
    assert first.headers["x-ratelimit-remaining-tokens"] == "996"
    assert third.headers["x-ratelimit-remaining-requests"] == "0"
    assert 25 < int(third.headers["retry-after"]) <= 30
    assert third.json()["error"]["code"] == "rate_limit_exceeded"


def test_anthropics_headers_name_the_time_of_the_reset(open_stub: Open) -> None:
    stub = open_stub(LimitOptions(requests_per_minute=2))
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}

    answer = stub.post(
        "/v1/messages", json=body, headers={"x-api-key": "k", "anthropic-version": "1"}
    )

    start = "anthropic-ratelimit-requests"
    assert answer.headers[f"{start}-limit"] == "2"
    assert answer.headers[f"{start}-remaining"] == "1"
    assert answer.headers[f"{start}-reset"].endswith("Z")


def test_asking_after_a_job_is_not_limited(open_stub: Open) -> None:
    stub = open_stub(LimitOptions(requests_per_minute=1))
    job = stub.post("/jobs", json={"input": {}}).json()

    polls = [stub.get(job["urls"]["get"]).status_code for _ in range(3)]
    second = stub.post("/jobs", json={"input": {}})

    assert (polls, second.status_code) == ([200, 200, 200], 429)
    assert second.json()["title"] == "Too Many Requests"


def test_a_reset_fills_the_buckets(open_stub: Open) -> None:
    stub = open_stub(LimitOptions(requests_per_minute=1))
    call(stub)

    stub.post("/stub/reset")

    assert call(stub).status_code == 200


def test_a_scripted_refusal_says_that_nothing_is_left(open_stub: Open) -> None:
    stub = open_stub(LimitOptions(requests_per_minute=50))

    answer = call(stub, **{"x-stub": "fail=429"})

    assert answer.headers["x-ratelimit-limit-requests"] == "50"
    assert answer.headers["x-ratelimit-remaining-requests"] == "0"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0ms"), (0.0123, "12ms"), (1.5, "1.5s"), (59.994, "59.99s"), (360, "6m0s")],
)
def test_a_duration_is_written_as_openai_does(seconds: float, text: str) -> None:
    assert duration(seconds) == text
