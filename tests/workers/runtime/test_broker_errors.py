"""Errors that consumers of hints survive; actors that fail."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import dramatiq
import pytest
import redis
from dramatiq.broker import Broker, MessageProxy
from dramatiq.middleware import Middleware, SkipMessage

from tests.conftest import RedisServer
from tests.support.workers.hint_broker_bench import KEY, Bench, Open, until
from workers.runtime import broker
from workers.runtime.limits import ConcurrencyLimit


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "RESTART_SECONDS", 0.01)
    monkeypatch.setattr(broker, "LOG_SECONDS", 0.0)


async def test_an_unexpected_error_is_logged_and_consuming_goes_on(
    open_bench: Open,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    wait_free, failures = ConcurrencyLimit.wait_free, [RuntimeError("a fault of ours")] * 6

    async def fail_at_first(slots: ConcurrencyLimit) -> int:
        if failures:
            raise failures.pop()
        return await wait_free(slots)

    monkeypatch.setattr(ConcurrencyLimit, "wait_free", fail_at_first)
    bench = await open_bench(redis_url)
    bench.send("first")

    await bench.wait_for(1)

    logged = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(logged) == 6
    assert all(record.exc_info and "unexpected error" in record.message for record in logged)


def refuse_commands(client: "redis.Redis") -> None:
    client.acl_setuser("default", enabled=True, commands=["-blmpop"])


def allow_commands(client: "redis.Redis") -> None:
    client.acl_setuser("default", enabled=True, commands=["+blmpop"])


def demote(client: "redis.Redis") -> None:
    client.replicaof("127.0.0.1", 1)


def promote(client: "redis.Redis") -> None:
    client.replicaof("NO", "ONE")


@pytest.mark.parametrize(
    ("begin", "end", "word"),
    [(refuse_commands, allow_commands, "NOPERM"), (demote, promote, "IsReplica")],
)
async def test_after_an_error_of_redis_a_consumer_connects_again(
    begin: Callable[["redis.Redis"], None],
    end: Callable[["redis.Redis"], None],
    word: str,
    own_server: RedisServer,
    open_bench: Open,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(broker, "BLOCK_SECONDS", 0.05)
    bench = await open_bench(own_server.url)
    bench.send("first")
    await bench.wait_for(1)
    before: Any = bench.client.info("stats")

    begin(bench.client)
    await until(lambda: sum(word in str(vars(each)) for each in caplog.records) >= 4)
    end(bench.client)
    bench.send("second")

    await bench.wait_for(1)
    after: Any = bench.client.info("stats")
    assert after["total_connections_received"] - before["total_connections_received"] >= 3


async def test_an_actor_that_fails_is_logged_and_its_slot_is_free(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(argument: str) -> None:
        raise RuntimeError(argument)

    dramatiq.actor(broker=bench.broker, actor_name="fail", queue_name="walk")(fail)
    bench.client.rpush(KEY, "fail|one", "fail|two")
    bench.send("good")

    await bench.wait_for(1)

    assert bench.slots.free == 99
    logged = [str(record.exc_info) for record in caplog.records if "actor failed" in record.message]
    assert ["one" in logged[0], "two" in logged[1]] == [True, True]


async def test_consuming_needs_no_thread(
    open_bench: Open, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    make = threading.Thread.__init__

    def note(thread: threading.Thread, *args: Any, **options: Any) -> None:
        made.append(thread)
        make(thread, *args, **options)

    monkeypatch.setattr(threading.Thread, "__init__", note)
    bench = await open_bench(redis_url)
    bench.send("first")
    await bench.wait_for(1)
    await bench.stop()

    assert made == []


class Watching(Middleware):
    """Notes the signals of messages; skips those whose argument is `skip`."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        self.seen.append(f"process {message.args[0]}")
        if message.args[0] == "skip":
            raise SkipMessage

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        self.seen.append(f"processed {exception!r}")

    def after_skip_message(self, broker: Broker, message: MessageProxy) -> None:
        self.seen.append("skipped")

    def after_ack(self, broker: Broker, message: MessageProxy) -> None:
        self.seen.append("ack")

    def after_nack(self, broker: Broker, message: MessageProxy) -> None:
        self.seen.append("nack")


async def test_middleware_sees_each_message(bench: Bench) -> None:
    middleware = Watching()
    bench.broker.add_middleware(middleware)

    bench.send("one", "skip")
    bench.client.rpush(KEY, "nobody|two")

    await bench.wait_for(1)
    await until(lambda: len(middleware.seen) == 9)
    assert middleware.seen[:6] == [
        *("process one", "processed None", "ack"),
        *("process skip", "skipped", "nack"),
    ]
    assert middleware.seen[6] == "process two"
    assert middleware.seen[7].startswith("processed ActorNotFound")
    assert middleware.seen[8] == "nack"
    assert (bench.taken, bench.slots.free) == (["one"], 99)
