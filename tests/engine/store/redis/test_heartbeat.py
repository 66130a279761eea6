import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

from engine.settings import Settings
from engine.store import Store
from engine.store.redis.address import RedisAddress
from engine.store.redis.heartbeat import Heartbeat
from tests.conftest import RedisServer
from tests.support.eventually import eventually
from tests.support.redis.proxy import running_proxy

Start = Callable[[str, float], Heartbeat]


LEASE_SECONDS = 2.0


@pytest.fixture
def start() -> Iterator[Start]:
    """Start heartbeats and stop them at the end."""
    started: list[Heartbeat] = []

    def start(url: str, lease_seconds: float) -> Heartbeat:
        heartbeat = Heartbeat(RedisAddress.parse(url), "w1", lease_seconds)
        heartbeat.start()
        started.append(heartbeat)
        return heartbeat

    yield start
    for heartbeat in started:
        heartbeat.stop()


async def lease_end(store: Store) -> int:
    return (await store.leases.workers()).get("w1", 0)


async def test_a_worker_lives_while_its_loop_is_blocked(
    store: Store, redis_url: str, start: Start
) -> None:
    start(redis_url, LEASE_SECONDS)
    before = await eventually(lambda: lease_end(store))

    busy_until = time.monotonic() + 1.5 * LEASE_SECONDS
    while time.monotonic() < busy_until:
        sum(range(10_000))

    assert await lease_end(store) >= before + LEASE_SECONDS * 1000 / 2
    assert await store.leases.dead_workers() == []


async def test_a_heart_publishes_names_of_variables_with_its_beats(
    store: Store, redis_url: str, start: Start
) -> None:
    heartbeat = start(redis_url, 0.3)
    heartbeat.publish({"B_KEY", "A_KEY"})

    async def published() -> bool:
        return await store.leases.variables() == [{"A_KEY", "B_KEY"}]

    await eventually(published)


async def test_a_stopped_heartbeat_lets_the_lease_end(
    store: Store, redis_url: str, start: Start
) -> None:
    heartbeat = start(redis_url, 0.1)
    await eventually(lambda: lease_end(store))

    heartbeat.stop()

    assert await eventually(store.leases.dead_workers) == ["w1"]


async def test_the_heart_goes_on_after_forgotten_scripts_and_a_lost_redis(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    server = RedisServer()
    server.start()
    store = Store.open(Settings(redis_url=server.url))
    start(server.url, 0.3)
    first = await eventually(lambda: lease_end(store))
    await store.client.send("SCRIPT", "FLUSH")
    second = await eventually(lambda: lease_end(store), lambda end: end > first)

    with caplog.at_level(logging.WARNING):
        server.kill()
        await asyncio.sleep(0.15)
        server.start()
        await eventually(lambda: lease_end(store), lambda end: end > second)

    assert any(record.message == "heartbeat failed" for record in caplog.records)
    await store.close()
    server.stop()


async def test_one_lost_beat_does_not_cost_the_lease(
    store: Store, redis_url: str, start: Start
) -> None:
    async with running_proxy(redis_url) as proxy:
        heartbeat = start(proxy.url, 1.2)
        await eventually(lambda: lease_end(store))
        proxy.is_frozen = True
        seen = proxy.connections
        await asyncio.sleep(0.3)
        proxy.is_frozen = False

        async def has_connected_again() -> bool:
            assert await store.leases.dead_workers() == []
            return proxy.connections > seen

        await eventually(has_connected_again)
        end = await lease_end(store)
        await eventually(lambda: lease_end(store), lambda now: now > end)
        assert await store.leases.dead_workers() == []
        await asyncio.to_thread(heartbeat.stop)


async def test_a_time_without_beats_is_remembered(own_server: RedisServer, start: Start) -> None:
    heartbeat = start(own_server.url, LEASE_SECONDS)
    store = Store.open(Settings(redis_url=own_server.url))
    await eventually(lambda: lease_end(store))
    at_first = heartbeat.last_silence
    await store.close()

    own_server.kill()
    silent = await eventually(_silence(heartbeat))
    assert abs(silent - time.monotonic()) < LEASE_SECONDS  # it goes on
    own_server.start()
    again = Store.open(Settings(redis_url=own_server.url))
    await eventually(lambda: lease_end(again))
    await asyncio.sleep(LEASE_SECONDS / 4)  # the heartbeat reads the reply
    ended = heartbeat.last_silence
    await asyncio.sleep(LEASE_SECONDS / 4)

    assert at_first == -math.inf
    assert silent <= ended < time.monotonic()
    assert heartbeat.last_silence == ended
    await again.close()


def _silence(heartbeat: Heartbeat) -> Callable[[], Awaitable[float]]:
    async def read() -> float:
        return max(0.0, heartbeat.last_silence)

    return read
