"""Processes that lose Redis or their gateway at the same time reconnect at different times."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

import pytest

from deploy.client import watching
from deploy.net.http_client import Unreachable
from engine.errors import Unavailable
from engine.store.redis import subscription
from engine.store.redis.address import RedisAddress
from engine.store.redis.subscription import Subscription
from tests.conftest import free_port
from tests.support.eventually import eventually
from tests.support.process.recorded_pauses import NotedPauses
from workers.runtime import broker, store_retries
from workers.runtime.broker import HintBroker, HintConsumer
from workers.runtime.limits import ConcurrencyLimit

TIMES = 20


def nowhere() -> RedisAddress:
    return RedisAddress.parse(f"redis://127.0.0.1:{free_port()}")


async def until_cancelled() -> None:
    await asyncio.Event().wait()


async def subscribe() -> None:
    async with Subscription(nowhere(), "channel").running(lambda _: None):
        await until_cancelled()


async def consume() -> None:
    broker = HintBroker(nowhere(), ConcurrencyLimit(1))
    broker.declare_queue("walk")
    consumer = HintConsumer(broker, "walk")
    consumer.begin()
    try:
        await until_cancelled()
    finally:
        await consumer.end()
        broker.close()


async def call_the_store() -> None:
    async def call() -> None:
        raise Unavailable("Redis cannot be reached")

    await store_retries.retry_until_answered(call, "call")


async def follow_a_run() -> None:
    class Away:
        async def execution(self, execution_id: str) -> Any:
            raise Unreachable("Nobody answers")

    caller: Any = Away()
    await watching.follow(caller, "an execution")


@pytest.mark.parametrize(
    ("module", "work", "longest"),
    [
        (subscription, subscribe, subscription.RECONNECT_SECONDS),
        (broker, consume, broker.MAX_RECONNECT_SECONDS),
        (store_retries, call_the_store, store_retries.PAUSES_SECONDS[-1]),
        (watching, follow_a_run, watching.MAX_PAUSE_SECONDS),
    ],
    ids=["subscription", "consumer of hints", "call of the store", "client of a gateway"],
)
async def test_pauses_before_another_try_differ_and_are_no_longer_than_they_are_without_jitter(
    module: ModuleType,
    work: Callable[[], Awaitable[None]],
    longest: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noted = NotedPauses()
    monkeypatch.setattr(module, "asyncio", noted)

    async def pauses() -> int:
        return len(noted.seconds)

    working = asyncio.ensure_future(work())
    await eventually(pauses, lambda count: count >= TIMES + 10)
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError, Unreachable):
        await working

    last = noted.seconds[10 : TIMES + 10]  # pauses that grow are as long as they get by then
    assert all(longest / 2 <= seconds <= longest for seconds in last)
    assert len(set(last)) > TIMES / 2
