"""Bulk hints: their rate, and the slots of all hints."""

import asyncio
import time

import pytest

from engine.store.dispatch.hints import WALK_QUEUE, make_hint
from engine.store.redis import process_keys
from tests.support.workers.hint_broker_bench import Bench, Open
from workers.runtime import broker, limits
from workers.runtime.limits import ConcurrencyLimit, LoadGate

BULK = process_keys.hints("bulk")


def send_bulk(bench: Bench, *arguments: str) -> None:
    bench.client.rpush(BULK, *(make_hint("walk", argument) for argument in arguments))


async def test_bulk_is_taken_only_while_there_is_little_to_compute(
    open_bench: Open, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "BULK_WAIT_SECONDS", 60.0)
    bench = await open_bench(redis_url)
    load_gate = bench.slots.load_gate
    for _ in range(limits.BULK_LIMIT):
        load_gate.begin()
    await asyncio.sleep(1.1)  # until the consumer, which had begun to wait for a hint, looks again

    send_bulk(bench, *(f"b{number}" for number in range(10)))
    bench.send("other")
    await bench.wait_for(1)

    assert bench.taken == ["other"]
    assert bench.client.llen(BULK) == 10
    for _ in range(limits.BULK_LIMIT):
        load_gate.end()
    await bench.wait_for(10)
    assert bench.taken == ["other", *(f"b{number}" for number in range(10))]


async def test_bulk_is_not_put_off_for_ever(open_bench: Open, redis_url: str) -> None:
    bench = await open_bench(redis_url)
    for _ in range(100):
        bench.slots.load_gate.begin()

    send_bulk(bench, *(f"b{number}" for number in range(10)))

    await bench.wait_for(10)


async def test_bulk_alone_is_taken_in_order_and_whole(bench: Bench) -> None:
    names = [f"b{number}" for number in range(150)]

    bench.slots.take_slots(-100)
    send_bulk(bench, *names)

    await bench.wait_for(150)
    assert bench.taken == names


async def test_the_load_gate_says_how_many_may_be_added() -> None:
    load_gate = LoadGate()
    started = time.monotonic()

    assert await load_gate.wait_quiet(5) == limits.BULK_LIMIT
    for _ in range(limits.BULK_LIMIT):
        load_gate.begin()
    assert await load_gate.wait_quiet(0.01) == 1
    asyncio.get_running_loop().call_later(0.05, load_gate.end)
    assert await load_gate.wait_quiet(60) == 1
    assert time.monotonic() - started < 20


async def test_the_bulk_limit_is_lower_beside_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OTHERS_SECONDS", 0.05)
    load_gate = LoadGate()

    load_gate.note_hints(WALK_QUEUE)
    assert await load_gate.wait_quiet(5) == limits.BULK_LIMIT_BESIDE_OTHERS
    load_gate.begin()
    await asyncio.sleep(0.06)
    assert await load_gate.wait_quiet(0) == limits.BULK_LIMIT - 1


async def test_hints_of_others_slow_bulk_down(bench: Bench) -> None:
    bench.send("other")
    await bench.wait_for(1)

    assert await bench.slots.load_gate.wait_quiet(0) == limits.BULK_LIMIT_BESIDE_OTHERS


async def test_a_slot_is_waited_for_no_longer_than_needed() -> None:
    slots = ConcurrencyLimit(0)
    started = time.monotonic()
    asyncio.get_running_loop().call_later(0.05, slots.release_slot)

    assert await slots.wait_free() == 1
    assert time.monotonic() - started < 20
    slots.take_slots(1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(slots.wait_free(), 0.01)
    slots.release_slot()
    slots.close()
    assert slots.free == 0
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(slots.wait_free(), 0.01)


async def test_a_wait_for_a_slot_is_cancelled_when_there_will_be_none(
    open_bench: Open, redis_url: str
) -> None:
    bench = await open_bench(redis_url, slots=1)
    bench.send("first")
    await bench.wait_for(1)

    bench.slots.close()

    assert await bench.stop() <= 10


async def test_slots_are_bound_by_the_further_limit() -> None:
    left = 0
    slots = ConcurrencyLimit(10, lambda: left)
    waiting = asyncio.create_task(slots.wait_free())
    await asyncio.sleep(0)
    assert not waiting.done()

    left = 3
    slots.wake()

    assert await waiting == 3
    left = 1_000
    assert slots.free == 10
