"""The client of a cluster while a primary is lost and its replica takes over."""

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest

from engine.errors import Unavailable
from engine.store.redis import keyspace
from engine.store.redis.address import RedisAddress, RedisNode
from engine.store.redis.cluster.cluster_client import ClusterClient
from engine.store.redis.cluster.routes import slot_of
from tests.support.eventually import eventually
from tests.support.redis.cluster import RedisCluster, running_cluster
from tests.support.redis.processes import wait_until

PARTITIONS = range(16)


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisCluster]:
    with running_cluster(3, 1) as started:
        yield started


@pytest.fixture
async def client(cluster: RedisCluster) -> AsyncIterator[ClusterClient]:
    client = ClusterClient(RedisAddress.parse(cluster.address()))
    yield client
    await client.close()


class Writers:
    """One writer per partition, which appends numbers to a list; a failed write is not repeated."""

    def __init__(self, client: ClusterClient) -> None:
        self._client = client
        self.written: dict[int, list[int]] = {each: [] for each in PARTITIONS}
        self.failures: Counter[str] = Counter()
        self.is_running = True

    async def write(self, partition: int) -> None:
        """Write until the end."""
        number = 0
        while self.is_running:
            number += 1
            try:
                await self._client.send("RPUSH", list_of(partition), number)
                self.written[partition].append(number)
            except Unavailable as failure:
                self.failures[failure.word] += 1
            await asyncio.sleep(0.005)

    async def gain(self, count: int) -> None:
        """Wait until each partition has so many further writes."""
        before = {each: len(numbers) for each, numbers in self.written.items()}

        async def least() -> int:
            return min(len(self.written[each]) - before[each] for each in PARTITIONS)

        await eventually(least, count.__le__)


def list_of(partition: int) -> str:
    """Return the key of a list."""
    return keyspace.session(partition, "list")


async def test_a_message_is_published_at_another_primary_than_the_lost_one(
    client: ClusterClient, cluster: RedisCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lost primary stays in the topology until the failover."""
    chosen = list[RedisNode]()

    def choose_first(nodes: Sequence[RedisNode]) -> RedisNode:
        chosen.append(nodes[0])
        return nodes[0]

    monkeypatch.setattr(secrets, "choice", choose_first)
    await client.send("PUBLISH", "channel", "before")
    lost = next(each for each in cluster.servers if each.port == chosen[0].port)
    lost.kill()

    try:
        with contextlib.suppress(Unavailable):  # the loss may be met by this message
            await client.send("PUBLISH", "channel", "between")
        for _ in range(20):
            await client.send("PUBLISH", "channel", "after")
            assert chosen[-1] != chosen[0]
    finally:
        await asyncio.to_thread(cluster.await_failover, lost)
        await asyncio.to_thread(cluster.restart, lost)


@pytest.mark.parametrize("is_paused", [False, True])
async def test_a_lost_primary_is_followed_by_its_replica(
    client: ClusterClient, cluster: RedisCluster, is_paused: bool
) -> None:
    writers = Writers(client)
    before = {each: await client.send("LLEN", list_of(each)) for each in PARTITIONS}
    tasks = [asyncio.create_task(writers.write(each)) for each in PARTITIONS]
    await writers.gain(20)

    lost, new = cluster.primary(1), cluster.replica(1)
    lost.pause() if is_paused else lost.kill()
    await asyncio.to_thread(wait_until, lambda: new.info()["role"] == "master", "a failover")
    await writers.gain(20)
    lost.resume() if is_paused else lost.start()
    await asyncio.to_thread(cluster.await_health)
    await writers.gain(20)
    writers.is_running = False
    await asyncio.gather(*tasks)

    assert client.topology.primary_of(6_000) == RedisNode(host="127.0.0.1", port=new.port)
    assert sum(writers.failures.values()) > 0
    with cluster.client() as library:
        for each in PARTITIONS:
            kept = [int(number) for number in library.lrange(list_of(each), before[each], -1)]
            assert len(kept) == len(set(kept))  # nothing was sent twice
            if not 5_461 <= slot_of(list_of(each)) <= 10_922:
                assert set(writers.written[each]) <= set(kept)
