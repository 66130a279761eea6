"""Floods of calls that fail before the caller is known."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import httpx2
import pytest
import redis
from starlette.types import Scope

from engine.errors import (
    InvalidBody,
    InvalidSignature,
    TooManyFailedCalls,
    Unauthorized,
    Unavailable,
)
from engine.ids import api_keys, tokens
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.accounts.sessions import LOGIN_PREFIX, SESSION_PREFIX
from gateway.admission.credentials import SESSION_COOKIE
from gateway.admission.failed_calls import FailedCalls
from gateway.admission.peers import Peers
from gateway.admission.request_context import context_of
from tests.gateway.conftest import MakeBrowser, MakeClient
from tests.support.gateway.documents import greeting

LIMIT = 60
"""Calls a minute: one more for each second."""
OTHER = "203.0.113.5"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, failed_calls_per_minute=LIMIT, trusted_proxies="127.0.0.0/8")


class Clock:
    """A clock that stands still until it is set."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def failed_calls(store: Store, clock: Clock) -> FailedCalls:
    return FailedCalls(LIMIT, Peers.parse(""), store, max_addresses=3, clock=clock)


def call(address: str, key: str = "") -> Scope:
    headers = [(b"x-api-key", key.encode())] if key else []
    return {"client": (address, 1), "headers": headers}


def exhaust(failed_calls: FailedCalls, address: str) -> None:
    for _ in range(LIMIT):
        assert isinstance(failed_calls.record_failure(call(address), Unauthorized()), Unauthorized)


async def test_failures_of_an_inbound_webhook_count_for_it_alone(
    failed_calls: FailedCalls,
) -> None:
    def fail(trigger_id: str) -> Exception:
        scope = call(OTHER)
        failed_calls.check(scope)
        failed_calls.count_for(scope, trigger_id)
        return failed_calls.record_failure(scope, InvalidSignature())

    for _ in range(LIMIT):
        assert isinstance(fail("a"), InvalidSignature)

    with pytest.raises(TooManyFailedCalls):
        fail("a")
    assert isinstance(fail("b"), InvalidSignature)
    failed_calls.check(call(OTHER))
    assert isinstance(failed_calls.record_failure(call(OTHER), Unauthorized()), Unauthorized)


async def test_nothing_counts_once_the_sender_of_an_event_is_verified(
    failed_calls: FailedCalls,
) -> None:
    for _ in range(2 * LIMIT):
        scope = call(OTHER)
        failed_calls.check(scope)
        failed_calls.count_for(scope, "a")
        context_of(scope).is_sender_known = True
        assert isinstance(failed_calls.record_failure(scope, InvalidBody("")), InvalidBody)


async def flood(client: httpx2.AsyncClient, key: str = "") -> httpx2.Response:
    """Fail until a call is refused; return the refusal."""
    for _ in range(LIMIT + 10):
        headers = {"x-api-key": key or api_keys.make_secret("acct")}
        answer = await client.get("/api/whoami", headers=headers)
        if answer.status_code == 429:
            return answer
        assert answer.status_code == 401
    raise AssertionError("the flood was never refused")


@pytest.fixture
async def guesser(make_client: MakeClient) -> httpx2.AsyncClient:
    client = await make_client()
    await flood(client)
    return client


async def test_an_address_may_fail_as_often_as_the_setting_says(failed_calls: FailedCalls) -> None:
    exhaust(failed_calls, "198.51.100.1")

    with pytest.raises(TooManyFailedCalls):
        failed_calls.check(call("198.51.100.1"))
    assert isinstance(
        failed_calls.record_failure(call("198.51.100.1"), InvalidBody("x")), TooManyFailedCalls
    )


async def test_other_addresses_are_not_concerned(failed_calls: FailedCalls) -> None:
    exhaust(failed_calls, "198.51.100.1")

    failed_calls.check(call("198.51.100.2"))
    assert isinstance(
        failed_calls.record_failure(call("198.51.100.2"), Unauthorized()), Unauthorized
    )


async def test_who_waits_as_long_as_it_was_told_is_heard_again(
    failed_calls: FailedCalls, clock: Clock
) -> None:
    exhaust(failed_calls, "198.51.100.1")
    with pytest.raises(TooManyFailedCalls) as refusal:
        failed_calls.check(call("198.51.100.1"))

    assert refusal.value.retry_after_seconds == 1
    clock.now += 1
    failed_calls.check(call("198.51.100.1"))


@pytest.mark.A07
async def test_of_calls_at_once_no_more_are_let_in_than_may_fail(
    failed_calls: FailedCalls, clock: Clock
) -> None:
    exhaust(failed_calls, "198.51.100.1")
    clock.now += 2
    calls = [call("198.51.100.1") for _ in range(3)]
    for each in calls[:2]:
        failed_calls.check(each)

    with pytest.raises(TooManyFailedCalls):
        failed_calls.check(calls[2])
    assert isinstance(failed_calls.record_failure(calls[0], Unauthorized()), Unauthorized)
    failed_calls.clear(calls[1])
    failed_calls.check(calls[2])


async def test_refused_calls_do_not_make_the_wait_longer(
    failed_calls: FailedCalls, clock: Clock
) -> None:
    exhaust(failed_calls, "198.51.100.1")
    for _ in range(100):
        failed_calls.record_failure(call("198.51.100.1"), Unauthorized())

    clock.now += 1
    failed_calls.check(call("198.51.100.1"))


async def test_a_minute_of_peace_gives_all_calls_back_and_no_more(
    failed_calls: FailedCalls, clock: Clock
) -> None:
    exhaust(failed_calls, "198.51.100.1")

    clock.now += 3_600
    exhaust(failed_calls, "198.51.100.1")

    with pytest.raises(TooManyFailedCalls):
        failed_calls.check(call("198.51.100.1"))


async def test_the_log_is_told_anew_when_an_address_that_was_calm_fails_too_often_again(
    failed_calls: FailedCalls, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for times in (1, 2):
        exhaust(failed_calls, "198.51.100.1")
        for _ in range(3):
            with pytest.raises(TooManyFailedCalls):
                failed_calls.check(call("198.51.100.1"))
        assert sum("fails too often" in record.message for record in caplog.records) == times
        clock.now += 60
        failed_calls.check(call("198.51.100.1"))


async def test_the_addresses_that_failed_longest_ago_are_forgotten_first(
    failed_calls: FailedCalls,
) -> None:
    exhaust(failed_calls, "198.51.100.1")
    for last in range(2, 5):
        failed_calls.record_failure(call(f"198.51.100.{last}"), Unauthorized())

    failed_calls.check(call("198.51.100.1"))


@pytest.mark.parametrize("error", [Unavailable(), RuntimeError("a bug")])
async def test_what_is_our_own_fault_is_not_counted(
    failed_calls: FailedCalls, error: Exception
) -> None:
    for _ in range(2 * LIMIT):
        assert failed_calls.record_failure(call("198.51.100.1"), error) is error

    failed_calls.check(call("198.51.100.1"))


async def test_without_a_limit_nothing_is_counted(store: Store) -> None:
    failed_calls = FailedCalls(0, Peers.parse(""), store)

    for _ in range(1_000):
        assert isinstance(
            failed_calls.record_failure(call("198.51.100.1"), Unauthorized()), Unauthorized
        )
    failed_calls.check(call("198.51.100.1"))


@pytest.mark.A07
@pytest.mark.A25
async def test_guessing_keys_is_refused_after_so_many(make_client: MakeClient) -> None:
    answer = await flood(await make_client())

    assert answer.json() == {
        "error": "Too many calls from this address have failed",
        "code": "RATE_LIMIT_EXCEEDED",
        "limit": LIMIT,
        "retryAfter": 1,
    }
    assert answer.headers["retry-after"] == "1"


@pytest.mark.A07
@pytest.mark.A25
async def test_refused_guesses_are_not_looked_up(
    guesser: httpx2.AsyncClient, redis_url: str
) -> None:
    with redis.Redis.from_url(redis_url) as client:
        before = client.info("commandstats")["cmdstat_evalsha"]["calls"]
        answers = [
            await guesser.get("/api/whoami", headers={"x-api-key": api_keys.make_secret("acct")})
            for _ in range(100)
        ]
        after = client.info("commandstats")["cmdstat_evalsha"]["calls"]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= 90
    assert after - before <= len(answers) - len(refused) + 5  # metrics are published meanwhile


async def test_good_calls_of_an_address_that_failed_cost_it_nothing(
    make_client: MakeClient, store: Store, account: Account
) -> None:
    nobody = await make_client()
    for _ in range(LIMIT - 5):
        assert (await nobody.get("/api/whoami")).status_code == 401

    answers = []
    for _ in range(20):
        _, secret = await store.api_keys.create(account, name="k", capabilities=["workflow:read"])
        answers.append(await nobody.get("/api/whoami", headers={"x-api-key": secret}))

    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.A07
async def test_other_addresses_are_served_meanwhile(guesser: httpx2.AsyncClient) -> None:
    answer = await guesser.get("/api/whoami", headers={"x-forwarded-for": OTHER})

    assert answer.status_code == 401


@pytest.mark.A07
async def test_a_key_that_was_good_lately_is_let_in(
    make_client: MakeClient, client: httpx2.AsyncClient
) -> None:
    assert (await client.get("/api/whoami")).status_code == 200
    nobody = await make_client()
    await flood(nobody)

    for _ in range(3 * LIMIT):
        answers = [await client.get("/api/whoami"), await client.get("/api/workflows/none")]
        assert [answer.status_code for answer in answers] == [200, 404]
    assert (await client.post("/api/workflows", content=b"no JSON")).status_code == 400


@pytest.mark.A07
async def test_a_key_that_was_good_lately_and_is_revoked_is_a_guess_like_others(
    make_client: MakeClient, client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    assert (await client.get("/api/whoami")).status_code == 200
    await flood(await make_client())
    [key] = await store.api_keys.list(account.id)
    await store.api_keys.revoke(key.id)

    answers = [(await client.get("/api/whoami")).status_code for _ in range(3)]

    assert answers[-1] == 429


async def test_a_browser_that_is_signed_in_is_let_in(
    make_client: MakeClient, make_browser: MakeBrowser, account: Account
) -> None:
    browser = await make_browser(account)
    assert (await browser.get("/api/me")).status_code == 200
    await flood(await make_client())

    for _ in range(2 * LIMIT):
        assert (await browser.get("/api/me")).status_code == 200


async def test_a_run_key_is_let_in_too(make_client: MakeClient, client: httpx2.AsyncClient) -> None:
    await client.post("/api/workflows", json=greeting())
    await client.post("/api/workflows/greeting/run?async=true", json={"inputs": {"name": "Ada"}})
    await flood(await make_client())

    answer = await client.post(
        "/api/workflows/greeting/run?async=true", json={"inputs": {"name": "Ada"}}
    )

    assert answer.status_code == 202


Send = Callable[[httpx2.AsyncClient], Awaitable[httpx2.Response]]


async def nowhere(client: httpx2.AsyncClient) -> httpx2.Response:
    return await client.get("/no/such/path")


async def too_large(client: httpx2.AsyncClient) -> httpx2.Response:
    return await client.post("/api/workflows", content=bytes(2_000_000))


async def encoded(client: httpx2.AsyncClient) -> httpx2.Response:
    headers = {"content-encoding": "gzip"}
    return await client.post("/api/workflows", headers=headers, content=b"x")


async def hidden_workflow(client: httpx2.AsyncClient) -> httpx2.Response:
    return await client.get("/api/workflows/none/public-schema")


async def guessed_login(client: httpx2.AsyncClient) -> httpx2.Response:
    return await client.get("/login", params={"token": tokens.make_token(LOGIN_PREFIX, 0)})


async def guessed_session(client: httpx2.AsyncClient) -> httpx2.Response:
    cookie = f"{SESSION_COOKIE}={tokens.make_token(SESSION_PREFIX, 0)}"
    return await client.get("/api/me", headers={"cookie": cookie})


async def no_key(client: httpx2.AsyncClient) -> httpx2.Response:
    return await client.post("/api/workflows/greeting/run", json={"inputs": {}})


@pytest.mark.A25
@pytest.mark.parametrize(
    ("send", "status"),
    [
        (nowhere, 404),
        (too_large, 413),
        (encoded, 400),
        (hidden_workflow, 404),
        (guessed_login, 410),
        (guessed_session, 401),
        (no_key, 401),
    ],
)
async def test_every_way_to_fail_without_an_account_is_counted(
    make_client: MakeClient, send: Send, status: int
) -> None:
    client = await make_client()

    statuses = [(await send(client)).status_code for _ in range(LIMIT + 10)]

    assert set(statuses[:LIMIT]) == {status}
    assert 429 in statuses[LIMIT:]


async def test_health_is_told_to_whoever_asks(guesser: httpx2.AsyncClient) -> None:
    answers = [await guesser.get(path) for path in ("/healthz", "/readyz", "/openapi.json")]

    assert [answer.status_code for answer in answers] == [200, 200, 200]


async def test_the_log_has_the_address_once(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    client = await make_client()
    await flood(client)
    await flood(client)

    reported = [record for record in caplog.records if "fails too often" in record.message]
    assert [record.__dict__["address"] for record in reported] == ["127.0.0.1"]


async def test_an_address_that_fails_now_is_remembered_before_one_that_failed_long_ago(
    failed_calls: FailedCalls,
) -> None:
    for address in ("198.51.100.1", "198.51.100.2", "198.51.100.3"):
        failed_calls.record_failure(call(address), Unauthorized())
    exhaust_rest(failed_calls, "198.51.100.1")

    failed_calls.record_failure(call("198.51.100.4"), Unauthorized())

    with pytest.raises(TooManyFailedCalls):
        failed_calls.check(call("198.51.100.1"))


def exhaust_rest(failed_calls: FailedCalls, address: str) -> None:
    """Let an address that has failed once use up its limit."""
    for _ in range(LIMIT - 1):
        failed_calls.record_failure(call(address), Unauthorized())
