from collections.abc import Iterator

import pytest
import redis

from engine.errors import Unavailable
from engine.store.redis.address import RedisAddress
from engine.store.redis.snapshot.sources import find_primaries, open_snapshot
from tests.support.redis.cluster import RedisCluster, running_cluster


@pytest.fixture
def cluster() -> Iterator[RedisCluster]:
    with running_cluster(3, 0) as cluster:
        yield cluster


async def read(address: RedisAddress) -> bytes:
    stream = await open_snapshot(address)
    return b"".join([piece async for piece in stream.pieces()])


async def test_a_single_server_gives_one_snapshot(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.config_set("repl-diskless-sync-delay", 0)
    (address,) = await find_primaries(RedisAddress.parse(redis_url))

    assert b"hr:installation" in await read(address)


async def test_each_primary_of_a_cluster_gives_the_keys_of_its_slots(cluster: RedisCluster) -> None:
    addresses = await find_primaries(RedisAddress.parse(cluster.address()))
    with cluster.client() as client:
        for number in range(100):
            client.set(f"key-{number:03d}", "x")

    snapshots = [await read(each) for each in addresses]

    assert len(snapshots) == 3
    for number in range(100):
        assert sum(b"key-%03d" % number in each for each in snapshots) == 1


@pytest.mark.parametrize("scheme", ["redis", "redis+cluster"])
async def test_a_server_that_is_away_is_unavailable(scheme: str) -> None:
    with pytest.raises(Unavailable):
        for each in await find_primaries(RedisAddress.parse(f"{scheme}://127.0.0.1:1")):
            await open_snapshot(each)
