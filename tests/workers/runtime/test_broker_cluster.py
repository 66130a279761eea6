"""Consumers of hints on a cluster follow the slot of their list."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import dramatiq
import pytest

from engine.access.sealing import Sealer
from engine.store.redis.address import RedisAddress
from engine.store.redis.cluster.guard import ClusterGuard
from engine.store.redis.cluster.routes import slot_of
from tests.support.redis.cluster import RedisCluster, running_cluster
from tests.support.redis.installation import SECRET_KEY
from tests.support.workers.hint_broker_bench import KEY, Bench
from workers.runtime import broker as module
from workers.runtime.broker import HintBroker
from workers.runtime.limits import ConcurrencyLimit


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisCluster]:
    with running_cluster(3, 1) as started:
        yield started


@pytest.fixture
async def bench(cluster: RedisCluster, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(module, "RESTART_SECONDS", 0.1)
    address = RedisAddress.parse(cluster.address())
    guard = ClusterGuard(address, Sealer.from_secret_key(SECRET_KEY))
    broker = HintBroker(address, ConcurrencyLimit(100), guard)
    bench = Bench(broker, broker.slots, cluster.client())
    dramatiq.actor(broker=broker, actor_name="walk", queue_name="walk")(bench.take)
    await bench.start()
    yield bench
    await bench.stop()
    broker.close()
    bench.client.close()
    await guard.close()


async def test_hints_are_taken_after_their_slot_has_moved(
    bench: Bench, cluster: RedisCluster
) -> None:
    bench.send("first")
    await bench.wait_for(1)

    for number in range(2):
        to = (cluster.shard_of(slot_of(KEY)) + 1) % 3
        await asyncio.to_thread(cluster.move_slot, slot_of(KEY), to, seconds=0)
        bench.send(f"after move {number}")
        await bench.wait_for(1)


async def test_hints_are_taken_after_a_failover(bench: Bench, cluster: RedisCluster) -> None:
    bench.send("first")
    await bench.wait_for(1)

    old = await asyncio.to_thread(cluster.kill_primary, cluster.shard_of(slot_of(KEY)))
    await asyncio.to_thread(cluster.await_failover, old)
    bench.send("second")
    await bench.wait_for(1)

    await asyncio.to_thread(cluster.restart, old)
    assert bench.taken == ["first", "second"]
