"""The blocking client at one server, at the primary that sentinels name, and at a cluster."""

import asyncio

import pytest

from engine.store.redis.address import RedisAddress
from engine.store.redis.blocking_client import BlockingClient
from tests.support.eventually import PATIENCE_SECONDS
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
