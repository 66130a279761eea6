"""Limits of one host for webhooks of all workers together: real store, workers and sockets."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from engine.access.capabilities import Tier
from engine.ids.partitions import partition_of
from engine.settings import Settings
from engine.store.redis import keyspace
from engine.webhooks.deliveries import Delivery, DeliveryStatus
from tests.support.eventually import eventually
from tests.support.factories import Runner
from tests.support.http.webhook_receivers import Receiver, receiving
from tests.support.workers.webhook_owner import Owner
from tests.support.workers.worker_process import WorkerProcess
from workers.main import worker

WORKERS = 3


@contextlib.asynccontextmanager
async def workers(settings: Settings, count: int = WORKERS) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(count):
            await stack.enter_async_context(worker(replace(settings, cpu_slots=1)))
        yield


async def another(owner: Owner, receiver: Receiver) -> Owner:
    """Another account with webhooks."""
    account = await owner.store.accounts.create(email="bob@example.com", tier=Tier.PRO)
    return Owner(Runner(owner.store, account, owner.runner.notifier), receiver)


async def add(owner: Owner, key_id: str, count: int) -> list[str]:
    """Add due deliveries; returns their ids."""
    webhook = await owner.store.webhooks.get(owner.account.id, key_id)
    add_test = owner.store.deliveries.add_test
    added: list[Delivery] = []
    for start in range(0, count, 100):
        some = range(start, min(start + 100, count))
        added += await asyncio.gather(*(add_test(owner.account.id, key_id, webhook) for _ in some))
    return [each.id for each in added]


async def received(receiver: Receiver, count: int, seconds: float = 60) -> None:
    """Wait until the receiver had this many calls."""

    async def calls() -> int:
        return len(receiver.received)

    await eventually(calls, lambda found: found >= count, timeout=seconds)


# -- at once --------------------------------------------------------------------------------------


@pytest.mark.F37
async def test_a_host_has_twenty_deliveries_at_once_from_all_workers_together(
    owner: Owner, receiver: Receiver, settings: Settings
) -> None:
    keys = [await owner.hook("/slow/0.5") for _ in range(4)]
    async with workers(settings):
        for key_id in keys:
            await add(owner, key_id, 25)
        await received(receiver, 100)

    assert receiver.most_open <= 20
    assert len(receiver.ids()) == len(receiver.received) == 100


async def test_a_host_gets_all_of_its_twenty_deliveries_at_once(
    owner: Owner, receiver: Receiver, settings: Settings
) -> None:
    async with workers(replace(settings, drain_seconds=0)):
        await add(owner, await owner.hook("/slow/30"), 15)
        await add(owner, await owner.hook("/slow/30"), 15)

        await eventually(lambda: _open(receiver), lambda found: found == 20)


async def test_ports_of_one_host_share_its_limits(
    owner: Owner, receiver: Receiver, settings: Settings
) -> None:
    async with (
        receiving() as beside,
        workers(replace(settings, webhook_host_at_once=4, drain_seconds=0), 1),
    ):
        for each in (receiver, beside):
            await add(owner, await Owner(owner.runner, each).hook("/slow/30"), 10)
        await eventually(lambda: _open(receiver, beside), lambda found: found == 4)
        await asyncio.sleep(0.5)  # there would be more by now

        assert await _open(receiver, beside) == 4


async def test_no_bound_is_a_setting_too(
    owner: Owner, receiver: Receiver, settings: Settings
) -> None:
    keys = [await owner.hook("/slow/30") for _ in range(4)]
    unbounded = replace(
        settings, webhook_host_at_once=0, webhook_host_per_second=0, drain_seconds=0
    )
    async with workers(unbounded, 1):
        for key_id in keys:
            await add(owner, key_id, 10)

        await eventually(lambda: _open(receiver), lambda found: found == 40)


async def test_a_delivery_without_room_stays_due_and_has_no_attempt(
    owner: Owner, receiver: Receiver, settings: Settings
) -> None:
    key_id = await owner.hook("/slow/2")
    async with workers(replace(settings, webhook_host_at_once=1)):
        ids = await add(owner, key_id, 2)
        await received(receiver, 1)
        [first] = receiver.ids()
        [other] = set(ids) - {first}
        waits = await owner.store.deliveries.get(owner.account.id, key_id, other)
        due = keyspace.deliveries_due(partition_of(owner.account.id))
        is_due = await owner.store.client.send(
            "ZSCORE", due, keyspace.reference(owner.account.id, other)
        )
        tries = await owner.store.client.send(
            "HMGET", keyspace.delivery(owner.account.id, other), "tries", "fence"
        )
        delivered = await owner.settled(key_id, other)

    assert (waits.status, waits.attempts) == (DeliveryStatus.PENDING, ())
    assert is_due
    assert tries == [None, None]
    assert delivered.status is DeliveryStatus.DELIVERED
    assert len(delivered.attempts) == 1


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_killed_worker_gives_its_room_back(
    owner: Owner, receiver: Receiver, redis_url: str
) -> None:
    keys = [await owner.hook("/slow/9") for _ in range(2)]
    first, second = WorkerProcess(redis_url), WorkerProcess(redis_url)
    await first.start()
    for key_id in keys:
        await add(owner, key_id, 30)
    await eventually(lambda: _open(receiver), lambda found: found == 20)
    await first.end(signal.SIGKILL)
    bob = await another(owner, receiver)
    quick = await bob.hook("/ok")
    await second.start()

    [delivery_id] = await add(bob, quick, 1)
    delivery = await bob.settled(quick, delivery_id, seconds=30)
    await second.end(signal.SIGKILL)

    assert delivery.status is DeliveryStatus.DELIVERED
    assert receiver.most_open <= 20


# -- a second -------------------------------------------------------------------------------------


async def test_a_host_has_fifty_a_second_until_it_answers_2xx(
    owner: Owner, receiver: Receiver, settings: Settings
) -> None:
    keys = [await owner.hook("/status/503") for _ in range(3)]
    async with workers(settings):
        for key_id in keys:
            await add(owner, key_id, 50)
        await received(receiver, 150)

    seconds = receiver.received[149].at - receiver.received[0].at
    assert seconds >= 149 / 50 - 0.5  # the first calls may come late
    print(f"150 calls that are answered 503 in {seconds:.2f} s")


async def test_a_host_that_has_answered_2xx_has_as_many_as_come(
    owner: Owner, receiver: Receiver, settings: Settings
) -> None:
    """At two a second, forty would take twenty seconds."""
    unknown, known = await owner.hook("/status/503"), await owner.hook("/ok")
    async with workers(replace(settings, webhook_host_per_second=2)):
        await add(owner, unknown, 4)
        await received(receiver, 4)
        before = receiver.received[3].at - receiver.received[0].at
        await add(owner, known, 1)
        await received(receiver, 5)
        await add(owner, known, 40)
        await received(receiver, 45)

    after = receiver.received[44].at - receiver.received[5].at
    assert before >= 3 / 2 - 0.4
    assert after < 10


# -- fair -----------------------------------------------------------------------------------------


async def test_an_account_with_a_thousand_deliveries_due_to_a_host_delays_no_other_one(
    owner: Owner, receiver: Receiver, settings: Settings
) -> None:
    await delay_nobody(owner, receiver, settings, 1_000)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_an_account_with_ten_thousand_deliveries_due_to_a_host_delays_no_other_one(
    owner: Owner, receiver: Receiver, settings: Settings
) -> None:
    await delay_nobody(owner, receiver, settings, 10_000)


async def delay_nobody(owner: Owner, receiver: Receiver, settings: Settings, count: int) -> None:
    """Check that the other account's hints, which are the last, are not delayed.

    The host takes half a second and answers 503.
    """
    floods = [await owner.hook("/fails/1000000/0.5") for _ in range(4)]
    bob = await another(owner, receiver)
    async with receiving() as elsewhere:
        elsewhere.url = elsewhere.url.replace("127.0.0.1", "localhost")
        same, other = await bob.hook("/ok"), await Owner(bob.runner, elsewhere).hook("/ok")
        for key_id in floods:
            await add(owner, key_id, count // len(floods))
        [here], [there] = await add(bob, same, 1), await add(bob, other, 1)
        async with workers(replace(settings, drain_seconds=0)):
            await asyncio.gather(bob.settled(same, here), bob.settled(other, there))
            began = receiver.received[0].at
            before = [each.path for each in receiver.received].index("/ok")

    waits = [_first(each, "/ok") - began for each in (receiver, elsewhere)]
    print(f"{before} of {count} calls before the other account's two, after {waits} s")
    assert before <= count / 10
    assert receiver.most_open <= 20


async def test_an_account_whose_deliveries_take_all_room_has_every_other_turn(
    owner: Owner, receiver: Receiver, settings: Settings
) -> None:
    floods, bob = [await owner.hook("/slow/1") for _ in range(4)], await another(owner, receiver)
    quick = await bob.hook("/ok")
    async with workers(replace(settings, webhook_host_at_once=4, drain_seconds=0)):
        for key_id in floods:
            await add(owner, key_id, 100)
        await received(receiver, 5)
        before = len(receiver.received)
        for delivery_id in await add(bob, quick, 4):
            await bob.settled(quick, delivery_id)

    paths = [each.path for each in receiver.received[before:]]
    last = len(paths) - paths[::-1].index("/ok")
    print(f"four quick calls among {paths[:last]}")
    assert last <= 4 * 4


def _first(receiver: Receiver, path: str) -> float:
    return next(each.at for each in receiver.received if each.path == path)


async def _open(*receivers: Receiver) -> int:
    return sum(each.open for each in receivers)
