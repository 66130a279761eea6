"""The hint broker under a real Dramatiq worker and a real Redis."""

import logging
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio.to_thread
import dramatiq
import dramatiq.worker
import pytest
import redis
from dramatiq.errors import ActorNotFound, ConnectionClosed, QueueNotFound

from engine import queue
from engine.queue import HintConsumer, Slots
from tests.conftest import RedisServer
from tests.engine.hint_bench import KEY, Bench, Open, until
from tests.redis_proxy import running_proxy


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.stop()


def commands(client: "redis.Redis") -> int:
    stats: Any = client.info("stats")
    return int(stats["total_commands_processed"])


def test_an_idle_consumer_blocks_and_does_not_poll(
    own_server: RedisServer, open_bench: Open
) -> None:
    bench = open_bench(own_server.url)  # nobody else's commands are counted
    bench.send("first")
    bench.wait_for(1)
    before = commands(bench.client)

    time.sleep(1.5)

    ours = 1
    assert commands(bench.client) - before - ours <= 3


def test_a_hint_arrives_within_milliseconds(bench: Bench) -> None:
    bench.send("first")
    bench.wait_for(1)
    times = []

    for number in range(60):
        started = time.perf_counter()
        bench.send(f"x{number}")
        bench.wait_for(1)
        times.append(time.perf_counter() - started)

    assert statistics.median(times) <= 0.005


def test_hints_arrive_in_order_and_once(bench: Bench) -> None:
    names = [f"x{number}" for number in range(150)]
    bench.slots.take(-100)

    bench.send(*names)
    bench.wait_for(150)

    assert bench.taken == names
    assert bench.slots.free == 50
    assert bench.client.llen(KEY) == 0


def test_never_more_is_taken_than_there_are_free_slots(open_bench: Open, redis_url: str) -> None:
    bench = open_bench(redis_url, slots=3)

    bench.send(*(f"x{number}" for number in range(10)))
    bench.wait_for(3)

    assert not bench.arrived.acquire(timeout=0.2)
    assert bench.client.llen(KEY) == 7
    assert bench.slots.free == 0
    bench.slots.release()
    bench.wait_for(1)
    assert not bench.arrived.acquire(timeout=0.1)
    assert bench.client.llen(KEY) == 6
    assert bench.taken == ["x0", "x1", "x2", "x3"]


def test_what_is_no_hint_is_dropped_and_its_slot_is_free(open_bench: Open, redis_url: str) -> None:
    bench = open_bench(redis_url, slots=3)

    bench.client.rpush(KEY, b"", b"nothing", b"\xff\xfe|x", b"\x00" * 1_000)
    bench.send("good")

    bench.wait_for(1)
    until(lambda: bench.slots.free == 2)
    assert bench.taken == ["good"]
    assert bench.client.llen(KEY) == 0


def test_a_hint_for_an_unknown_actor_frees_its_slot(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.CRITICAL):
        bench.client.rpush(KEY, "nobody|x")
        bench.send("good")
        bench.wait_for(1)

    until(lambda: bench.slots.free == 99)


def test_an_idle_stop_is_quick(bench: Bench) -> None:
    bench.send("first")
    bench.wait_for(1)

    assert bench.stop() <= 2


def test_a_stop_without_unblocking_is_quick_enough(bench: Bench) -> None:
    bench.send("first")
    bench.wait_for(1)
    started = time.monotonic()

    bench.worker.stop(5_000)

    assert time.monotonic() - started <= 2


def test_a_stop_with_no_free_slot_is_quick(open_bench: Open, redis_url: str) -> None:
    bench = open_bench(redis_url, slots=1)
    bench.send("first", "second")
    bench.wait_for(1)

    assert bench.stop() <= 2
    assert bench.client.llen(KEY) == 1


def test_hints_that_were_not_begun_are_sent_back(bench: Bench) -> None:
    bench.gate.clear()
    bench.send(*(f"x{number}" for number in range(8)))
    bench.wait_for(1)
    until(lambda: bench.client.llen(KEY) == 0)

    bench.stop()

    hints: Any = bench.client.lrange(KEY, 0, -1)
    back = {hint.decode().partition("|")[2] for hint in hints}
    assert back | set(bench.taken) == {f"x{number}" for number in range(8)}
    assert not back & set(bench.taken)
    assert len(hints) == 8 - len(bench.taken)


def test_after_closing_the_slots_nothing_is_taken(bench: Bench) -> None:
    bench.send("first")
    bench.wait_for(1)
    bench.slots.close()
    bench.broker.unblock()
    until(lambda: bench.slots.wait_free(0) == 0)
    time.sleep(0.1)

    bench.send("late")

    assert not bench.arrived.acquire(timeout=0.3)
    assert bench.client.llen(KEY) == 1


def test_hints_go_on_after_redis_was_restarted(
    own_server: RedisServer, open_bench: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dramatiq.worker, "CONSUMER_RESTART_DELAY_SECS", 0.05)
    bench = open_bench(own_server.url)
    bench.send("first")
    bench.wait_for(1)

    own_server.kill()
    time.sleep(0.1)
    own_server.start()
    bench.client.close()
    bench.send("second")

    bench.wait_for(1)
    assert bench.taken == ["first", "second"]


def test_a_stop_while_redis_is_away_ends_in_order(
    own_server: RedisServer, open_bench: Open
) -> None:
    bench = open_bench(own_server.url)
    bench.gate.clear()
    bench.send("first", "second", "third")
    bench.wait_for(1)
    until(lambda: bench.client.llen(KEY) == 0)
    own_server.kill()

    bench.worker.stop(500)

    assert bench.worker.consumers["walk"].consumer is not None


async def test_a_half_open_connection_is_noticed(
    open_bench: Open, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dramatiq.worker, "CONSUMER_RESTART_DELAY_SECS", 0.05)
    monkeypatch.setattr(queue, "BLOCK_SECONDS", 0.1)
    monkeypatch.setattr(queue, "SILENCE_SECONDS", 0.4)

    async with running_proxy(redis_url) as proxy:
        bench = await anyio.to_thread.run_sync(open_bench, proxy.url, 100, redis_url)
        bench.send("first")
        await anyio.to_thread.run_sync(bench.wait_for, 1)
        proxy.is_frozen = True
        await anyio.sleep(0.6)
        proxy.is_frozen = False
        bench.send("second")

        await anyio.to_thread.run_sync(bench.wait_for, 1)
        await anyio.to_thread.run_sync(bench.stop)


def test_a_consumer_without_redis_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConnectionClosed):
        HintConsumer(f"unix://{tmp_path}/nothing", "walk", Slots(1))


def test_what_the_broker_cannot_do_it_refuses(bench: Bench) -> None:
    message: dramatiq.Message[Any] = dramatiq.Message(
        queue_name="walk", actor_name="walk", args=("acc/1",), kwargs={}, options={}
    )

    with pytest.raises(ValueError):
        bench.broker.enqueue(message, delay=1_000)
    with pytest.raises(QueueNotFound):
        bench.broker.consume("unknown")
    with pytest.raises(ActorNotFound):
        bench.broker.get_actor("nobody")
    bench.broker.declare_queue("walk")
    assert bench.broker.queues.keys() == {"bulk", "walk"}


def test_sending_through_the_broker_arrives(bench: Bench) -> None:
    bench.broker.get_actor("walk").send("acc/1")

    bench.wait_for(1)
    assert bench.taken == ["acc/1"]


def test_hints_can_be_dropped(open_bench: Open, redis_url: str) -> None:
    bench = open_bench(redis_url, slots=1)
    bench.send("first")
    bench.wait_for(1)
    bench.send("second")

    bench.broker.flush("walk")
    bench.broker.flush_all()

    assert bench.client.llen(KEY) == 0
