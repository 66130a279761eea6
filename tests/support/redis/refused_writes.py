"""Redis that refuses writes for a while, like a primary without its replicas."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from engine.store.redis.address import RedisAddress
from engine.store.redis.client import Client


@contextlib.asynccontextmanager
async def refused_writes(redis_url: str) -> AsyncIterator[None]:
    """Refuse writes with NOREPLICAS while the context lasts."""
    client = Client(RedisAddress.parse(redis_url))
    try:
        await client.send("CONFIG", "SET", "min-replicas-to-write", 1)
        yield
    finally:
        await client.send("CONFIG", "SET", "min-replicas-to-write", 0)
        await client.close()


async def refuse_again_and_again(redis_url: str, times: int, seconds: float) -> None:
    """Refuse writes several times, with as long a pause between."""
    for _ in range(times):
        await asyncio.sleep(seconds)
        async with refused_writes(redis_url):
            await asyncio.sleep(seconds)
