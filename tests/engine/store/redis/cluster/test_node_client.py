"""The pipeline to one primary reports its failures."""

import asyncio
from collections.abc import Iterator

import pytest

from engine.errors import Unavailable
from engine.store.redis.address import RedisAddress, RedisNode
from engine.store.redis.cluster.node_client import NodeClient
from tests.conftest import free_port
from tests.support.redis.cluster import RedisCluster, running_cluster


@pytest.fixture
def one_primary() -> Iterator[RedisCluster]:
    with running_cluster(1, 0) as started:
        yield started


async def test_a_lost_primary_is_reported(one_primary: RedisCluster) -> None:
    lost = asyncio.Event()
    address = RedisAddress.parse(one_primary.address())
    client = NodeClient(address, address.nodes[0], None, lost.set)
    assert not client.is_connected
    await client.send("PING")
    assert client.is_connected
    assert client.is_idle

    one_primary.servers[0].kill()

    await lost.wait()
    assert not client.is_connected
    await client.close()


async def test_a_primary_that_cannot_be_reached_is_reported() -> None:
    failures = []
    node = RedisNode(host="127.0.0.1", port=free_port())
    address = RedisAddress.parse(f"redis+cluster://{node}")
    client = NodeClient(address, node, None, lambda: failures.append(node))

    with pytest.raises(Unavailable):
        await client.send("PING")

    assert failures == [node]
    await client.close()
    assert failures == [node]  # the end of a client is no failure
