"""Callers of a key with a webhook whose wait runs out, who hang up, or whose gateway stops."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from engine.errors import Unavailable
from engine.executions.statuses import TERMINAL
from engine.store import Account, Store
from engine.store.executions.caller_waits import CallerWaits, DeadGateway
from engine.store.redis import keyspace
from gateway.admission.wait_lease import WaitLease
from tests.gateway.conftest import Gateway, MakeClient
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.gateway.documents import greeting
from tests.support.gateway.fake_worker import FakeWorker

RUN = "/api/workflows/greeting/run"
EVE: dict[str, Any] = {"inputs": {"name": "Eve"}}
URL = "https://example.com/hook"
TOLD = {"configured": True, "url": URL}
KEY = {"idempotency-key": "9f3c1f4e-6ff6-4d0a-9a51-9a5b6f7d30a1"}


@dataclass
class Owner:
    """An account's client, whose key has a webhook."""

    store: Store
    account: Account
    key_id: str
    client: httpx2.AsyncClient

    async def begin(self, **options: Any) -> "tuple[asyncio.Task[httpx2.Response], str]":
        """Call and wait; return the call and the id of its execution once it is accepted."""
        before = set(await self.executions())
        call = asyncio.create_task(self.client.post(RUN, json=EVE, **options))
        found = await eventually(self.executions, lambda ids: set(ids) > before)
        (execution_id,) = set(found) - before
        return call, execution_id

    async def executions(self) -> list[str]:
        key = keyspace.account_executions(self.account.id)
        return [each.decode() for each in await self.store.client.send("ZRANGE", key, 0, -1)]

    async def deliveries(self) -> list[str]:
        """Return the ids of the deliveries to the key's webhook."""
        key = keyspace.webhook_deliveries(self.account.id, self.key_id)
        return [each.decode() for each in await self.store.client.send("ZRANGE", key, 0, -1)]

    def armed(self, execution_id: str) -> Callable[[], Awaitable[bytes | None]]:
        """Return a read of the mark that the end will be delivered."""
        key = keyspace.execution(self.account.id, execution_id)

        async def read() -> bytes | None:
            found: bytes | None = await self.store.client.send("HGET", key, "armed")
            return found

        return read


@pytest.fixture
async def owner(store: Store, account: Account, make_client: MakeClient) -> Owner:
    key, secret = await store.api_keys.create(
        account, name="hook", capabilities=["workflow:*", "webhook:receive"]
    )
    await store.webhooks.save(account.id, key.id, url=URL)
    client = await make_client(secret)
    assert (await client.post("/api/workflows", json=greeting())).status_code == 201
    return Owner(store, account, key.id, client)


@pytest.fixture
def idle(worker: FakeWorker) -> FakeWorker:
    worker.is_idle = True
    return worker


async def test_a_wait_that_runs_out_says_where_its_end_is_delivered(
    owner: Owner, idle: FakeWorker
) -> None:
    answer = await owner.client.post(RUN, json=EVE, params={"timeout": "0.1"})
    body = answer.json()
    early = await owner.deliveries()
    idle.is_idle = False

    assert (answer.status_code, body["webhookDelivery"]) == (202, TOLD)
    assert early == []
    assert await eventually(owner.deliveries) == [body["executionId"]]


async def test_an_answered_run_is_not_delivered(owner: Owner, worker: FakeWorker) -> None:
    for _ in range(3):
        assert (await owner.client.post(RUN, json=EVE)).status_code == 200

    assert await owner.deliveries() == []


async def test_a_repeated_call_is_answered_as_the_first_and_delivers_nothing_again(
    owner: Owner, idle: FakeWorker
) -> None:
    options: Any = {"json": EVE, "headers": KEY, "params": {"timeout": "0.1"}}
    first = await owner.client.post(RUN, **options)
    repeated = await owner.client.post(RUN, **options)
    idle.is_idle = False
    await eventually(owner.deliveries)
    later = await owner.client.post(RUN, **options)

    assert first.json()["webhookDelivery"] == TOLD
    assert [each.json() for each in (repeated, later)] == [first.json()] * 2
    assert [each.status_code for each in (first, repeated, later)] == [202] * 3
    assert await owner.deliveries() == [first.json()["executionId"]]


async def test_a_caller_who_hangs_up_is_told_by_the_webhook(owner: Owner, idle: FakeWorker) -> None:
    call, execution_id = await owner.begin()
    call.cancel()

    await eventually(owner.armed(execution_id))
    idle.is_idle = False

    assert await eventually(owner.deliveries) == [execution_id]


async def test_a_caller_who_hangs_up_just_before_the_end_is_told_by_the_webhook(
    owner: Owner, idle: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.runs.waiter.PendingRunAnswer._has_disconnected", lambda _: False)
    call, execution_id = await owner.begin()
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    idle.is_idle = False

    assert await eventually(owner.deliveries) == [execution_id]


async def test_who_hung_up_and_repeats_the_call_hears_twice(owner: Owner, idle: FakeWorker) -> None:
    call, execution_id = await owner.begin(headers=KEY)
    call.cancel()
    await eventually(owner.armed(execution_id))
    idle.is_idle = False

    answer = await eventually(
        lambda: owner.client.post(RUN, json=EVE, headers=KEY), lambda each: each.status_code != 409
    )

    assert (answer.status_code, answer.json()["executionId"]) == (200, execution_id)
    assert await owner.deliveries() == [execution_id]


async def test_a_caller_who_hangs_up_while_the_store_is_away_is_told_later(
    owner: Owner, idle: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.runs.waiter.CHECK_SECONDS", 0.01)
    calls, end = [], CallerWaits.end

    async def fail_at_first(waits: CallerWaits, *args: Any, **options: Any) -> Any:
        calls.append(options)
        if len(calls) < 4:
            raise Unavailable
        return await end(waits, *args, **options)

    monkeypatch.setattr(CallerWaits, "end", fail_at_first)
    call, execution_id = await owner.begin()
    call.cancel()
    await eventually(owner.armed(execution_id))
    idle.is_idle = False

    assert len(calls) == 4
    assert await eventually(owner.deliveries) == [execution_id]


async def test_a_wait_that_runs_out_while_the_store_is_away_promises_nothing(
    owner: Owner, idle: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any, **__: Any) -> Any:
        raise Unavailable

    monkeypatch.setattr(CallerWaits, "end", fail)

    answer = await owner.client.post(RUN, json=EVE, params={"timeout": "0.1"})

    assert answer.status_code == 202
    assert answer.json()["webhookDelivery"] == {"configured": False}


async def test_a_gateway_that_stops_says_where_the_end_is_delivered(
    owner: Owner, idle: FakeWorker, gateway: Gateway
) -> None:
    call, execution_id = await owner.begin()

    gateway.stopping.set()
    answer = await call

    assert (answer.status_code, answer.json()["webhookDelivery"]) == (202, TOLD)
    idle.is_idle = False
    assert await eventually(owner.deliveries) == [execution_id]


async def test_an_end_in_the_moment_of_the_decision_is_answered(
    owner: Owner, idle: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = CallerWaits.end

    async def end_late(waits: CallerWaits, *args: Any, **options: Any) -> Any:
        idle.is_idle = False
        await eventually(lambda: owner.store.executions.status(*args[:2]), TERMINAL.__contains__)
        return await end(waits, *args, **options)

    monkeypatch.setattr(CallerWaits, "end", end_late)

    answer = await owner.client.post(RUN, json=EVE, headers=KEY, params={"timeout": "0.1"})
    repeated = await owner.client.post(RUN, json=EVE, headers=KEY)

    assert (answer.status_code, answer.json()["result"]) == (200, {"text": "Eve"})
    assert repeated.json() == answer.json()
    assert await owner.deliveries() == []


async def test_a_broken_event_stream_arms_nothing(owner: Owner, idle: FakeWorker) -> None:
    stream = {"accept": "text/event-stream"}
    async with owner.client.stream("POST", RUN, json=EVE, headers=stream) as events:
        await anext(events.aiter_lines())
    (execution_id,) = await owner.executions()
    await asyncio.sleep(0.5)
    idle.is_idle = False
    await eventually(
        lambda: owner.store.executions.status(owner.account.id, execution_id),
        TERMINAL.__contains__,
    )

    assert await owner.deliveries() == []
    assert await owner.armed(execution_id)() is None


async def test_a_gateway_that_was_taken_for_dead_does_not_answer_what_is_delivered(
    owner: Owner, idle: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WaitLease, "covers", lambda *_: False)
    call, execution_id = await owner.begin()
    await end_waits_of_all(owner, execution_id)
    idle.is_idle = False

    answer = await call

    assert (answer.status_code, answer.json()["webhookDelivery"]) == (202, TOLD)
    assert await owner.deliveries() == [execution_id]


async def test_a_gateway_that_was_taken_for_dead_answers_what_is_not_delivered(
    owner: Owner, idle: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WaitLease, "covers", lambda *_: False)
    call, execution_id = await owner.begin()
    idle.is_idle = False

    answer = await call
    await end_waits_of_all(owner, execution_id)

    assert (answer.status_code, answer.json()["result"]) == (200, {"text": "Eve"})
    assert await owner.deliveries() == []


async def end_waits_of_all(owner: Owner, execution_id: str) -> None:
    """End the wait as a sweeper does after the death of the one gateway."""
    (lease,) = await eventually(owner.store.gateway_leases.all)
    gateway = DeadGateway(channel=lease.channel, lived_until=lease.ends_at)
    await owner.store.caller_waits.end(
        owner.account.id, execution_id, owner.key_id, is_caller_gone=True, gateway=gateway
    )


async def test_a_call_that_the_stopping_process_breaks_off_is_left_to_the_sweeper(
    owner: Owner, idle: FakeWorker, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.http.listener.DRAIN_SECONDS", 1)

    async def hang(*_: Any, **__: Any) -> Any:
        await asyncio.sleep(PATIENCE_SECONDS)

    monkeypatch.setattr(CallerWaits, "end", hang)
    call, execution_id = await owner.begin()
    gateway.stopping.set()
    await asyncio.gather(call, return_exceptions=True)
    await gateway.ended
    monkeypatch.undo()

    await end_waits_of_all(owner, execution_id)

    assert await owner.armed(execution_id)()
