"""Accounts that have begun many children wait while the queue is long."""

import asyncio

import pytest

from engine.store import Store
from engine.store.dispatch.hints import BULK_QUEUE
from engine.store.redis import process_keys
from workers.feeding import pace
from workers.feeding.pace import FEW, SHORT_QUEUE, BeginPace

QUEUE = process_keys.hints(BULK_QUEUE)


@pytest.fixture
async def long_queue(store: Store) -> None:
    """Fill the queue, of which no worker takes anything."""
    await store.hints.send([f"acc/{number}" for number in range(SHORT_QUEUE + 1)], BULK_QUEUE)


async def is_waiting(task: "asyncio.Task[None]") -> bool:
    await asyncio.wait([task], timeout=0.05)
    return not task.done()


async def test_who_has_begun_few_does_not_wait(store: Store, long_queue: None) -> None:
    paced = BeginPace(store.hints)
    paced.note("few", FEW)
    paced.note("many", 10 * FEW)

    await asyncio.wait_for(paced.wait("few"), 1)

    waiting = asyncio.create_task(paced.wait("many"))
    assert await is_waiting(waiting)
    waiting.cancel()


async def test_who_has_begun_many_waits_until_the_queue_is_short(
    store: Store, long_queue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "MOST_LOOKS", 10**6)
    paced = BeginPace(store.hints)
    paced.note("many", FEW + 1)
    waiting = asyncio.create_task(paced.wait("many"))
    assert await is_waiting(waiting)

    await store.client.send("LPOP", QUEUE)

    await asyncio.wait_for(waiting, 30)


async def test_nobody_waits_for_ever(
    store: Store, long_queue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "MOST_LOOKS", 3)
    paced = BeginPace(store.hints)
    paced.note("many", 10 * FEW)

    await asyncio.wait_for(paced.wait("many"), 30)

    assert await store.client.send("LLEN", QUEUE) == SHORT_QUEUE + 1


async def test_a_new_period_forgets_who_had_few_more(
    store: Store, long_queue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "PERIOD_SECONDS", 0.05)
    paced = BeginPace(store.hints)
    paced.note("some", FEW + 1)
    paced.note("many", 10 * FEW)
    await asyncio.sleep(0.06)
    paced.note("many", 1)

    await asyncio.wait_for(paced.wait("some"), 1)

    waiting = asyncio.create_task(paced.wait("many"))
    assert await is_waiting(waiting)
    waiting.cancel()
