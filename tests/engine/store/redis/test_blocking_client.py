"""The blocking client at one server, at the primary that sentinels name, and at a cluster."""

import asyncio

import pytest
from redis.exceptions import RedisError

from engine.store.redis.address import RedisAddress
from engine.store.redis.blocking_client import BlockingClient
from tests.conftest import free_port
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.redis.cluster import running_cluster
from tests.support.redis.sentinel import SentinelGroup, failover


async def test_a_blocking_client_leaves_a_primary_that_sentinels_have_replaced(
    group: SentinelGroup, address: RedisAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.redis.blocking_client.LOOK_SECONDS", 0.0)
    client = BlockingClient(address, reply_seconds=PATIENCE_SECONDS)
    client.execute("SET", "key", 6)

    async with failover(group, pauses=True) as (_, new):
        await asyncio.to_thread(client.execute, "SET", "key", 7)

        assert new.command("GET", "key") == b"7"
    client.close()


@pytest.mark.thorough
async def test_a_blocking_client_goes_on_after_a_failover_of_a_cluster() -> None:
    with running_cluster() as cluster:
        client = BlockingClient(RedisAddress.parse(cluster.address()), reply_seconds=1)
        keys = [f"key{number}" for number in range(10)]
        for key in keys:
            client.execute("SET", key, 1)
        cluster.kill_primary(0)

        async def is_set() -> bool:
            try:
                return all([await asyncio.to_thread(client.execute, "SET", key, 2) for key in keys])
            except RedisError:
                return False

        assert await eventually(is_set)
        client.close()


def test_a_cluster_that_is_away_is_an_error_of_the_library() -> None:
    client = BlockingClient(
        RedisAddress.parse(f"redis+cluster://127.0.0.1:{free_port()}"), reply_seconds=1
    )

    for _ in range(2):
        with pytest.raises(RedisError):
            client.execute("PING")
    client.close()
