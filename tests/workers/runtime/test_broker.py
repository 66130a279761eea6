"""The hint broker under a real Dramatiq worker and a real Redis."""

import asyncio
import logging
import statistics
import time
from pathlib import Path
from typing import Any

import dramatiq
import pytest
import redis
from dramatiq.errors import ActorNotFound, QueueNotFound

from engine.store.dispatch.hints import InlineRun, add_inline_run, make_hint
from engine.store.redis import connection
from engine.telemetry.metrics import HINTS_UNKNOWN
from tests.conftest import RedisServer
from tests.support.redis.proxy import running_proxy
from tests.support.workers.hint_broker_bench import KEY, Bench, Open, until
from workers.runtime import broker
from workers.runtime.broker import HintConsumer


def commands(client: "redis.Redis") -> int:
    stats: Any = client.info("stats")
    return int(stats["total_commands_processed"])


async def test_an_idle_consumer_blocks_and_does_not_poll(
    own_server: RedisServer, open_bench: Open
) -> None:
    bench = await open_bench(own_server.url)  # only its own commands are counted
    bench.send("first")
    await bench.wait_for(1)
    before = commands(bench.client)

    await asyncio.sleep(1.5)

    ours = 1
    assert commands(bench.client) - before - ours <= 3


async def test_a_hint_arrives_within_milliseconds(bench: Bench) -> None:
    bench.send("first")
    await bench.wait_for(1)
    times = []

    for number in range(60):
        started = time.perf_counter()
        bench.send(f"x{number}")
        await bench.wait_for(1)
        times.append(time.perf_counter() - started)

    assert min(times) <= 0.005
    assert statistics.quantiles(times, n=4)[0] <= 0.1  # others are slow beside other work


async def test_hints_arrive_in_order_and_once(bench: Bench) -> None:
    names = [f"x{number}" for number in range(150)]
    bench.slots.take_slots(-100)

    bench.send(*names)
    await bench.wait_for(150)

    assert bench.taken == names
    assert bench.slots.free == 50
    assert bench.client.llen(KEY) == 0


async def test_never_more_is_taken_than_there_are_free_slots(
    open_bench: Open, redis_url: str
) -> None:
    bench = await open_bench(redis_url, slots=3)

    bench.send(*(f"x{number}" for number in range(10)))
    await bench.wait_for(3)

    assert await bench.is_quiet(0.2)
    assert bench.client.llen(KEY) == 7
    assert bench.slots.free == 0
    bench.slots.release_slot()
    await bench.wait_for(1)
    assert await bench.is_quiet(0.1)
    assert bench.client.llen(KEY) == 6
    assert bench.taken == ["x0", "x1", "x2", "x3"]


async def test_an_invalid_hint_is_dropped_and_its_slot_is_free(
    open_bench: Open, redis_url: str
) -> None:
    bench = await open_bench(redis_url, slots=3)

    bench.client.rpush(KEY, b"", b"nothing", b"\xff\xfe|x", b"\x00" * 1_000)
    bench.send("good")

    await bench.wait_for(1)
    await until(lambda: bench.slots.free == 2)
    assert bench.taken == ["good"]
    assert bench.client.llen(KEY) == 0


@pytest.mark.F26
async def test_hints_of_a_later_release_are_counted_and_their_slots_are_free(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    before = HINTS_UNKNOWN._value.get()

    with caplog.at_level(logging.DEBUG):
        bench.client.rpush(KEY, b"\x02walk|acc/1", b"\x1f", "nobody|x")
        bench.send("good")
        await bench.wait_for(1)

    await until(lambda: bench.slots.free == 99)
    assert bench.taken == ["good"]
    assert HINTS_UNKNOWN._value.get() - before == 3
    assert caplog.text == ""


async def test_an_idle_stop_is_quick(
    open_bench: Open, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "BLOCK_SECONDS", 30)
    monkeypatch.setattr(connection, "SILENCE_SECONDS", 60)
    bench = await open_bench(redis_url)
    bench.send("first")
    await bench.wait_for(1)

    assert await bench.stop() <= 10


async def test_a_stop_without_unblocking_is_quick_enough(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.send("first")
    await bench.wait_for(1)

    async def fail(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(HintConsumer, "_unblock", fail)

    assert await bench.stop() <= 10


async def test_a_stop_with_no_free_slot_is_quick(open_bench: Open, redis_url: str) -> None:
    bench = await open_bench(redis_url, slots=1)
    bench.send("first", "second")
    await bench.wait_for(1)

    assert await bench.stop() <= 10
    assert bench.client.llen(KEY) == 1


@pytest.mark.F25
async def test_hints_that_were_not_begun_stay_in_the_queue(
    open_bench: Open, redis_url: str
) -> None:
    bench = await open_bench(redis_url, slots=3)
    bench.send(*(f"x{number}" for number in range(8)))
    await bench.wait_for(1)

    await bench.stop()

    hints: Any = bench.client.lrange(KEY, 0, -1)
    back = {hint.decode().partition("|")[2] for hint in hints}
    assert back | set(bench.taken) == {f"x{number}" for number in range(8)}
    assert not back & set(bench.taken)
    assert len(hints) == 8 - len(bench.taken)


@pytest.mark.F25
async def test_no_hint_is_lost_by_a_stop(open_bench: Open, redis_url: str) -> None:
    bench = await open_bench(redis_url, slots=1_000)
    names = [f"x{number}" for number in range(300)]

    for name in names:
        bench.send(name)
        if name == "x150":
            stopping = asyncio.create_task(bench.stop())
        await asyncio.sleep(0)
    await stopping

    left: Any = bench.client.lrange(KEY, 0, -1)
    assert bench.taken + [hint.decode().partition("|")[2] for hint in left] == names
    assert left


async def test_after_closing_the_slots_nothing_is_taken(
    open_bench: Open, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "BLOCK_SECONDS", 0.05)
    bench = await open_bench(redis_url)
    bench.send("first")
    await bench.wait_for(1)
    bench.slots.close()
    assert bench.slots.free == 0
    await asyncio.sleep(0.2)

    bench.send("late")

    assert await bench.is_quiet(0.3)
    assert bench.client.llen(KEY) == 1
    assert await bench.stop() <= 10


async def test_hints_go_on_after_redis_was_restarted(
    own_server: RedisServer, open_bench: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "RESTART_SECONDS", 0.05)
    bench = await open_bench(own_server.url)
    bench.send("first")
    await bench.wait_for(1)

    own_server.kill()
    await asyncio.sleep(0.1)
    own_server.start()
    bench.client.close()
    bench.send("second")

    await bench.wait_for(1)
    assert bench.taken == ["first", "second"]


async def test_a_stop_while_redis_is_away_ends_in_order(
    own_server: RedisServer, open_bench: Open
) -> None:
    bench = await open_bench(own_server.url)
    bench.send("first", "second", "third")
    await bench.wait_for(3)
    own_server.kill()

    assert await bench.stop() <= 10

    assert bench.taken == ["first", "second", "third"]


async def test_a_half_open_connection_is_noticed(
    open_bench: Open, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "RESTART_SECONDS", 0.05)
    monkeypatch.setattr(broker, "BLOCK_SECONDS", 0.1)
    monkeypatch.setattr(connection, "SILENCE_SECONDS", 0.4)

    async with running_proxy(redis_url) as proxy:
        bench = await open_bench(proxy.url, 100, redis_url)
        bench.send("first")
        await bench.wait_for(1)
        proxy.is_frozen = True
        await asyncio.sleep(0.9)
        proxy.is_frozen = False
        bench.send("second")

        await bench.wait_for(1)
        await bench.stop()


async def test_a_consumer_without_redis_says_so_and_goes_on_trying(
    tmp_path: Path,
    open_bench: Open,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(broker, "RESTART_SECONDS", 0.01)

    with caplog.at_level(logging.WARNING):
        bench = await open_bench(f"unix://{tmp_path}/nothing")
        await until(lambda: caplog.text.count("connection error") > 4)

    assert await bench.stop() <= 10


async def test_the_broker_refuses_unsupported_messages(bench: Bench) -> None:
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


@pytest.mark.parametrize(
    ("args", "kwargs", "options"),
    [
        (("acc/1", 2), {}, {}),
        ((), {}, {}),
        ((1,), {}, {}),
        (("two\nlines",), {}, {}),
        (("acc/1",), {"loud": True}, {}),
        (("acc/1",), {}, {"max_retries": 3}),
    ],
)
async def test_a_message_that_would_lose_something_is_refused_when_it_is_sent(
    bench: Bench, args: tuple[Any, ...], kwargs: dict[str, Any], options: dict[str, Any]
) -> None:
    actor = bench.broker.get_actor("walk")

    with pytest.raises(ValueError, match="would lose its arguments.*HEADRACE_ACTORS"):
        actor.send_with_options(args=args, kwargs=kwargs, **options)

    assert await bench.is_quiet(0.05)


async def test_no_level_of_the_log_has_the_contents_of_hints(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    inline_run = InlineRun(slug="echo", version=1, inputs=b"a-canary-of-inputs")

    with caplog.at_level(logging.DEBUG):
        bench.client.rpush(KEY, add_inline_run(make_hint("walk", "acc/1"), inline_run))
        await bench.wait_for(1)

    assert bench.inline_run == [inline_run]
    assert "a-canary-of-inputs" not in caplog.text


async def test_sending_through_the_broker_arrives(bench: Bench) -> None:
    bench.broker.get_actor("walk").send("acc/1")

    await bench.wait_for(1)
    assert bench.taken == ["acc/1"]


async def test_hints_can_be_dropped(open_bench: Open, redis_url: str) -> None:
    bench = await open_bench(redis_url, slots=1)
    bench.send("first")
    await bench.wait_for(1)
    bench.send("second")

    bench.broker.flush("walk")
    bench.broker.flush_all()

    assert bench.client.llen(KEY) == 0
