"""Hints of accounts that have many, how fast they are taken, and the slots of all."""

import threading
import time

import pytest

from engine import keyspace, queue
from engine.queue import Pace, Slots
from engine.store.hints import make_hint
from tests.engine.hint_bench import Bench, Open, until

BULK = keyspace.hints("bulk")


def send_bulk(bench: Bench, *arguments: str) -> None:
    bench.client.rpush(BULK, *(make_hint("walk", argument) for argument in arguments))


def test_bulk_is_taken_only_while_there_is_little_to_compute(
    open_bench: Open, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "PATIENCE_SECONDS", 60.0)
    bench = open_bench(redis_url)
    pace = bench.slots.pace
    for _ in range(queue.BULK_AT_ONCE):
        pace.begin()
    time.sleep(1.1)  # until the consumer, which had begun to wait for a hint, looks again

    send_bulk(bench, *(f"b{number}" for number in range(10)))
    bench.send("other")
    bench.wait_for(1)

    assert bench.taken == ["other"]
    assert bench.client.llen(BULK) == 10
    for _ in range(queue.BULK_AT_ONCE):
        pace.rest()
    bench.wait_for(10)
    assert bench.taken == ["other", *(f"b{number}" for number in range(10))]


def test_bulk_is_not_put_off_for_ever(open_bench: Open, redis_url: str) -> None:
    bench = open_bench(redis_url)
    for _ in range(100):
        bench.slots.pace.begin()

    send_bulk(bench, *(f"b{number}" for number in range(10)))

    bench.wait_for(10)


def test_bulk_alone_is_taken_in_order_and_whole(bench: Bench) -> None:
    names = [f"b{number}" for number in range(150)]

    bench.slots.take(-100)
    send_bulk(bench, *names)

    bench.wait_for(150)
    assert bench.taken == names


def test_the_pace_says_how_much_may_be_added() -> None:
    pace = Pace()
    started = time.monotonic()

    assert pace.wait_quiet(5) == queue.BULK_AT_ONCE
    for _ in range(queue.BULK_AT_ONCE):
        pace.begin()
    assert pace.wait_quiet(0.01) == 1
    threading.Timer(0.05, pace.rest).start()
    assert pace.wait_quiet(5) == 1
    assert time.monotonic() - started < 1


def test_the_pace_of_bulk_is_slower_beside_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "OTHERS_SECONDS", 0.05)
    pace = Pace()

    pace.note_others()
    assert pace.wait_quiet(5) == queue.BULK_BESIDE_OTHERS
    pace.begin()
    until(lambda: pace.wait_quiet(0) == queue.BULK_AT_ONCE - 1)


def test_hints_of_others_slow_bulk_down(bench: Bench) -> None:
    bench.send("other")
    bench.wait_for(1)

    assert bench.slots.pace.wait_quiet(0) == queue.BULK_BESIDE_OTHERS


def test_a_slot_is_waited_for_no_longer_than_needed() -> None:
    slots = Slots(0)
    started = time.monotonic()
    threading.Timer(0.05, slots.release).start()

    assert slots.wait_free(5) == 1
    assert time.monotonic() - started < 1
    slots.take(1)
    assert slots.wait_free(0.01) == 0
    slots.release()
    slots.close()
    assert (slots.free, slots.wait_free(0)) == (0, 0)


def test_who_waits_for_a_slot_is_let_go_when_there_will_be_none() -> None:
    slots = Slots(0)
    started = time.monotonic()
    threading.Timer(0.05, slots.close).start()

    assert slots.wait_free(5) == 0
    assert time.monotonic() - started < 1
    assert slots.wait_free(5) == 0
    assert queue.CLOSED_SECONDS <= time.monotonic() - started < 2
