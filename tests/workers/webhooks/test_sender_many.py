"""Many deliveries, and senders that die during one."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from engine.access.sealing import Sealer
from engine.errors.nodes import NodeFailed
from engine.settings import Settings
from engine.store.redis import keyspace
from engine.store.webhooks.webhooks import secret_place
from engine.webhooks.deliveries import DeliveryStatus
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.factories import greeting
from tests.support.http.webhook_receivers import Receiver
from tests.support.workers.webhook_owner import SECRET, Owner
from tests.support.workers.worker_process import WorkerProcess
from workers.main import worker
from workers.providers.limiter.call_limiter import CallLimiter, LimiterTurn
from workers.webhooks import attempts
from workers.webhooks import sender as sending

WEBHOOKS = int(os.environ.get("WEBHOOKS", "2000"))
SHORT = 0.0005
"""An hour becomes 1.8 s."""


@pytest.mark.F40
async def test_many_executions_and_a_receiver_that_fails_a_third_of_the_time(
    owner: Owner, receiver: Receiver, settings: Settings
) -> None:
    async with worker(replace(settings, webhook_time_scale=SHORT)):
        await tell_many(owner, receiver, 200, p95_seconds=30.0)  # beside other tests


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.F40
async def test_a_burst_of_executions_and_a_receiver_that_fails_a_third_of_the_time(
    owner: Owner,
    receiver: Receiver,
    settings: Settings,
    record_property: Callable[[str, object], None],
) -> None:
    limit = PATIENCE_SECONDS + WEBHOOKS / 20  # a webhook has ten connections
    async with worker(replace(settings, webhook_time_scale=SHORT)):
        p95 = await tell_many(owner, receiver, WEBHOOKS, p95_seconds=limit)
    record_property("webhooks", WEBHOOKS)
    record_property("first_attempt_p95_seconds", p95)


async def test_a_webhook_has_as_many_deliveries_one_after_another_as_come(
    owner: Owner, receiver: Receiver, settings: Settings
) -> None:
    """Beside each other a process makes ten attempts for one webhook."""
    key_id = await owner.hook("/ok")
    webhook = await owner.store.webhooks.get(owner.account.id, key_id)

    async with worker(settings):
        for _ in range(sending.MAX_TURNS + 2):
            added = await owner.store.deliveries.add_test(owner.account.id, key_id, webhook)
            await owner.settled(key_id, added.id)

    assert len(receiver.received) == sending.MAX_TURNS + 2


async def test_nothing_is_kept_of_webhooks_without_deliveries(
    owner: Owner, receiver: Receiver, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    senders: list[sending.WebhookSender] = []

    class Noted(sending.WebhookSender):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            senders.append(self)

    monkeypatch.setattr("workers.main.WebhookSender", Noted)

    async def kept() -> tuple[int, int]:
        return len(senders[0]._queues), len(senders[0]._references)

    async with worker(settings):
        for _ in range(3):
            key_id = await owner.hook("/ok")
            webhook = await owner.store.webhooks.get(owner.account.id, key_id)
            added = await owner.store.deliveries.add_test(owner.account.id, key_id, webhook)
            await owner.settled(key_id, added.id)

        assert await eventually(kept, (0, 0).__eq__) == (0, 0)


async def test_a_turn_that_cannot_be_had_is_asked_for_again(
    owner: Owner, receiver: Receiver, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_turn, failures = CallLimiter.turn, iter(range(2))

    @contextlib.asynccontextmanager
    async def fail_twice(*asked: Any) -> AsyncIterator[LimiterTurn]:
        if next(failures, None) is not None:
            raise NodeFailed("PROVIDER_UNAVAILABLE", "No turn", retryable=True)
        async with take_turn(*asked) as turn:
            yield turn

    monkeypatch.setattr(CallLimiter, "turn", fail_twice)
    monkeypatch.setattr(sending, "NO_TURN_SECONDS", 0.01)
    key_id = await owner.hook("/ok")
    webhook = await owner.store.webhooks.get(owner.account.id, key_id)

    async with worker(settings):
        added = await owner.store.deliveries.add_test(owner.account.id, key_id, webhook)
        delivery = await owner.settled(key_id, added.id)

    assert delivery.status is DeliveryStatus.DELIVERED
    assert next(failures, None) is None


async def test_a_delivery_for_which_a_process_had_no_room_is_attempted_when_its_hint_comes_again(
    owner: Owner, receiver: Receiver, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "MAX_TURNS", 1)
    monkeypatch.setattr(sending, "MAX_WAITING", 1)
    key_id = await owner.hook("/slow/0.5")
    webhook = await owner.store.webhooks.get(owner.account.id, key_id)

    async def add() -> str:
        return (await owner.store.deliveries.add_test(owner.account.id, key_id, webhook)).id

    async with worker(settings):
        attempted = await add()
        await eventually(lambda: _true(receiver.open))
        waits, left_out = await add(), await add()
        for delivery_id in (attempted, waits):
            await owner.settled(key_id, delivery_id)
        reference = keyspace.reference(owner.account.id, left_out)
        await owner.store.hints.send_deliveries([reference])
        delivery = await owner.settled(key_id, left_out)

    assert delivery.status is DeliveryStatus.DELIVERED


async def test_a_secret_that_cannot_be_read_for_a_while_is_no_end_of_a_delivery(
    owner: Owner, receiver: Receiver, settings: Settings
) -> None:
    """It is sealed with a key that the worker's settings do not have."""
    key_id = await owner.hook("/ok")
    name = keyspace.webhook(owner.account.id, key_id)
    readable = await owner.store.client.send("HGET", name, "secret")
    sealer, place = Sealer.from_secret_key("another " * 8), secret_place(owner.account.id, key_id)
    await owner.store.client.send("HSET", name, "secret", sealer.seal(SECRET, place))
    webhook = await owner.store.webhooks.get(owner.account.id, key_id)

    async with worker(settings):
        added = await owner.store.deliveries.add_test(owner.account.id, key_id, webhook)
        pending = await eventually(
            lambda: owner.delivery(key_id, added.id),
            lambda each: each is not None and bool(each.attempts),
        )
        await owner.store.client.send("HSET", name, "secret", readable)
        await owner.store.deliveries.redeliver(owner.account.id, key_id, added.id)
        delivered = await owner.settled(key_id, added.id)

    assert pending is not None
    assert pending.status is DeliveryStatus.PENDING
    assert pending.attempts[0].error == attempts.UNREADABLE
    assert delivered.status is DeliveryStatus.DELIVERED
    assert len(receiver.received) == 1


async def _true(value: object) -> object:
    return value


async def tell_many(owner: Owner, receiver: Receiver, count: int, *, p95_seconds: float) -> float:
    """Each is delivered under one id with one body, and first attempted soon after its end."""
    key_id = await owner.hook("/random/30")
    slug = await owner.runner.save(greeting())
    ids: list[str] = []
    for _ in range(0, count, 20):
        ids += await asyncio.gather(*(owner.begin(slug, key_id) for _ in range(20)))
        await asyncio.sleep(0.1)

    async def left() -> set[str]:
        rows, after = [], None
        while True:
            page, after = await owner.store.deliveries.list(
                owner.account.id, key_id, limit=500, after=after
            )
            rows += page
            if after is None:
                break
        done = {row.id for row in rows if row.status is DeliveryStatus.DELIVERED}
        return set(ids) - done

    await eventually(left, lambda found: not found, timeout=60 + count / 10, pause=count / 4_000)

    assert set(receiver.ids()) == set(ids)
    bodies: dict[str, set[bytes]] = {}
    first: dict[str, float] = {}
    for each in receiver.received:
        bodies.setdefault(each.id, set()).add(each.body)
        first.setdefault(each.id, each.at)
    assert {len(found) for found in bodies.values()} == {1}
    assert len(receiver.received) > count
    heads = await asyncio.gather(
        *(owner.store.executions.head(owner.account.id, each) for each in ids)
    )
    waits = sorted(first[head.id] - (head.completed_at or 0) / 1000 for head in heads)
    p95 = waits[int(count * 0.95)]
    print(f"{count} executions: first attempt after the end p95 {p95 * 1000:.0f} ms")
    assert p95 <= p95_seconds
    return p95


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_sender_killed_in_the_middle_leaves_two_calls_at_most_with_one_id_and_body(
    owner: Owner, receiver: Receiver, redis_url: str
) -> None:
    key_id = await owner.hook("/slow/2")
    first, second = WorkerProcess(redis_url), WorkerProcess(redis_url)
    await first.start()
    execution_id = await owner.run(key_id)

    async def is_called() -> bool:
        return receiver.open == 1

    await eventually(is_called)
    await first.end(signal.SIGKILL)
    await second.start()
    delivery = await owner.settled(key_id, execution_id, seconds=40)
    await second.end(signal.SIGTERM)

    assert delivery.status is DeliveryStatus.DELIVERED
    assert receiver.ids() == {execution_id: 2}
    assert len({each.body for each in receiver.received}) == 1
