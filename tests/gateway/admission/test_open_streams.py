"""Event streams of an account: bounded, told of changed access, and read once for all of them."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx2
import pytest

from engine.access.capabilities import Tier
from engine.access.tiers import load
from engine.errors import TooManyStreams, Unavailable
from engine.settings import Settings
from engine.store import Account, Principal, Store
from engine.store.redis import keyspace
from engine.store.redis.address import RedisAddress
from gateway.admission.open_streams import MOST_OF_AN_ACCOUNT, OpenStreams
from gateway.admission.request_context import RequestContext
from gateway.events import event_streams
from tests.gateway.conftest import Gateway, MakeBrowser
from tests.support.eventually import eventually
from tests.support.gateway.documents import greeting

pytestmark = pytest.mark.A89

RUN = "/api/workflows/greeting/run"
ASK = {"inputs": {"name": "Eve"}}
STREAM = {"accept": "text/event-stream"}
EVENTS = "/api/events"
PATIENCE = 30


@contextlib.asynccontextmanager
async def opened(
    client: httpx2.AsyncClient, path: str, count: int
) -> AsyncIterator[list[httpx2.Response]]:
    """Open streams one after the other, each with its first block."""
    async with contextlib.AsyncExitStack() as stack:
        answers = []
        for _ in range(count):
            answer = await stack.enter_async_context(client.stream("GET", path))
            assert answer.status_code == 200
            answers.append(answer)
        yield answers


async def begin(client: httpx2.AsyncClient) -> str:
    """Begin a run that no worker takes; return the path of its events."""
    await client.post("/api/workflows", json=greeting())
    begun = (await client.post(f"{RUN}?async=true", json=ASK)).json()
    return f"{begun['pollUrl']}/events"


async def test_an_account_has_fifty_streams_and_others_are_unaffected(
    client: httpx2.AsyncClient,
    browser: httpx2.AsyncClient,
    make_browser: MakeBrowser,
    stranger: Account,
) -> None:
    events, other = await begin(client), await make_browser(stranger)
    half = MOST_OF_AN_ACCOUNT // 2
    async with opened(browser, EVENTS, half), opened(client, events, half) as streams:
        refused = [await browser.get(EVENTS), await client.get(events)]
        async with (
            opened(other, EVENTS, 1),
            client.stream("POST", RUN, json=ASK, headers=STREAM) as run,
        ):
            status = run.status_code
        await streams[0].aclose()

        async def reopened() -> int:
            async with client.stream("GET", events) as answer:
                return answer.status_code

        await eventually(reopened, lambda found: found == 200)

    assert MOST_OF_AN_ACCOUNT == 50
    assert status == 200
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (429, "RATE_LIMIT_EXCEEDED")
        assert answer.json()["limit"] == 50
        assert int(answer.headers["retry-after"]) == answer.json()["retryAfter"] > 0


async def test_watching_a_run_again_by_its_idempotency_key_takes_a_place(
    client: httpx2.AsyncClient, browser: httpx2.AsyncClient
) -> None:
    await begin(client)
    headers = {**STREAM, "idempotency-key": "once"}
    async with (
        opened(browser, EVENTS, MOST_OF_AN_ACCOUNT),
        client.stream("POST", RUN, json=ASK, headers=headers) as first,
        client.stream("POST", RUN, json=ASK, headers=headers) as again,
    ):
        assert (first.status_code, again.status_code) == (200, 429)


async def read_to_the_end(answer: httpx2.Response) -> None:
    async for _ in answer.aiter_raw():
        pass


@pytest.fixture
def account_tier() -> Tier:
    return Tier.PRO


async def lower_tier(store: Store, account: Account) -> None:
    await store.accounts.change(account.id, tier=Tier.FREE)


async def revoke(store: Store, account: Account) -> None:
    [key] = await store.api_keys.list(account.id)
    await store.api_keys.revoke(key.id)


async def expire(store: Store, account: Account) -> None:
    [key] = await store.api_keys.list(account.id)
    await store.client.send("HDEL", keyspace.account_key_uses(account.id), key.id)
    soon = int(time.time() * 1_000) + 500
    await store.api_keys.change(key.id, owner=account.id, expires_at=soon)


@pytest.mark.parametrize("end", [lower_tier, revoke])
async def test_a_stream_is_told_that_its_key_does_not_hold_any_more(
    client: httpx2.AsyncClient,
    store: Store,
    account: Account,
    end: Callable[[Store, Account], Awaitable[None]],
) -> None:
    async with opened(client, await begin(client), 1) as [stream]:
        reading = asyncio.create_task(read_to_the_end(stream))
        await asyncio.sleep(0.2)
        is_open = not reading.done()
        await end(store, account)
        async with asyncio.timeout(PATIENCE):  # without the signal it would end after ten minutes
            await reading

    assert is_open


async def test_a_stream_whose_key_could_not_be_checked_is_checked_again(
    client: httpx2.AsyncClient, store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    check, failed = event_streams.authenticate, asyncio.Event()

    async def fail_once(*arguments: Any) -> Principal:
        if failed.is_set():
            return await check(*arguments)
        failed.set()
        raise Unavailable("Redis is away")

    monkeypatch.setattr(event_streams, "HEARTBEAT_SECONDS", 0.5)
    async with opened(client, await begin(client), 1) as [stream]:
        monkeypatch.setattr(event_streams, "authenticate", fail_once)
        await revoke(store, account)
        async with asyncio.timeout(PATIENCE):
            await read_to_the_end(stream)

    assert failed.is_set()


async def test_a_stream_ends_when_its_key_expires(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    path = await begin(client)
    await expire(store, account)
    async with opened(client, path, 1) as [stream], asyncio.timeout(PATIENCE):
        await read_to_the_end(stream)


async def test_signing_out_ends_the_streams_of_that_browser_alone(
    make_browser: MakeBrowser, account: Account
) -> None:
    leaving, staying = await make_browser(account), await make_browser(account)
    async with opened(leaving, EVENTS, 1) as [ended], opened(staying, EVENTS, 1) as [kept]:
        readings = [asyncio.create_task(read_to_the_end(each)) for each in (ended, kept)]
        await leaving.post("/logout")
        async with asyncio.timeout(PATIENCE):
            await readings[0]
        await asyncio.sleep(0.2)
        assert not readings[1].done()
        readings[1].cancel()


async def test_streams_of_an_account_read_its_events_together_and_ask_for_no_access(
    browser: httpx2.AsyncClient, account: Account, monitored: bytearray
) -> None:
    def scripts_about(key: bytes) -> int:
        return sum(b'"EVALSHA"' in line and key in line for line in monitored.splitlines())

    ledger = keyspace.ledger(account.id).encode()
    async with opened(browser, EVENTS, 20):
        await asyncio.sleep(0.5)
        reads, checks = scripts_about(ledger), scripts_about(b":session:")
        began = time.monotonic()
        await asyncio.sleep(3)
        seconds = time.monotonic() - began
        reads, checks = scripts_about(ledger) - reads, scripts_about(b":session:") - checks

    assert 1 <= reads <= seconds + 2
    assert checks == 0


async def test_each_stream_has_each_event_once(
    browser: httpx2.AsyncClient, client: httpx2.AsyncClient
) -> None:
    async with opened(browser, EVENTS, 5) as streams:
        texts = [""] * len(streams)

        async def read(position: int) -> None:
            async for piece in streams[position].aiter_text():
                texts[position] += piece
                if texts[position].count("event: workflow.saved") >= 3:
                    return

        readings = [asyncio.create_task(read(position)) for position in range(len(streams))]
        await asyncio.sleep(0.3)
        for name in ("One", "Two", "Three"):
            await client.post("/api/workflows", json=greeting(name=name))
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*readings)

    for text in texts:
        assert [text.count(f'"slug":"{slug}"') for slug in ("one", "two", "three")] == [1, 1, 1]
    assert len({text[text.index("event:") :] for text in texts}) == 1


async def test_a_gateway_that_stops_ends_streams_that_sleep(
    browser: httpx2.AsyncClient, gateway: Gateway
) -> None:
    async with opened(browser, EVENTS, 1) as [stream]:
        reading = asyncio.create_task(read_to_the_end(stream))
        await asyncio.sleep(0.2)
        gateway.stopping.set()
        async with asyncio.timeout(PATIENCE):
            await reading  # raises when it is cut instead, after 8 s


async def test_a_request_that_is_handled_twice_takes_one_place(account: Account) -> None:
    streams, context, others = OpenStreams(most=1), RequestContext(), RequestContext()
    principal = Principal(account=account, terms=load().terms(account.tier, account.role))

    streams.take_place(context, principal)
    streams.take_place(context, principal)
    with pytest.raises(TooManyStreams):
        streams.take_place(others, principal)
    streams.free_place(context)
    streams.take_place(others, principal)


class Sleeper:
    """The sleep of a stream, which counts how often it was ended."""

    def __init__(self) -> None:
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1


def test_streams_of_a_changed_account_check_their_access_at_once() -> None:
    streams, changed, other = OpenStreams(), Sleeper(), Sleeper()
    with streams.signalling("acc_1", changed) as first, streams.signalling("acc_2", other) as last:
        streams.suspect("acc_1")

        assert (first.must_authenticate, changed.woken) == (True, 1)
        assert (last.must_authenticate, other.woken) == (False, 0)


async def test_streams_check_their_access_anew_after_a_lost_connection_to_redis(
    settings: Settings, store: Store
) -> None:
    streams = OpenStreams()
    with streams.signalling("acc_1", Sleeper()) as stream:
        async with streams.following_access(RedisAddress.parse(settings.redis_url)):
            stream.must_authenticate = False
            await store.client.send("CLIENT", "KILL", "TYPE", "pubsub")

            async def is_told() -> bool:
                return stream.must_authenticate

            await eventually(is_told)
