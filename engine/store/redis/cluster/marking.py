"""Marks of an installation in the partitions of a cluster."""

import asyncio
from collections import defaultdict

from engine.store.redis import keyspace
from engine.store.redis.address import RedisAddress, RedisNode
from engine.store.redis.cluster.routes import slot_of
from engine.store.redis.cluster.topology import topology_of
from engine.store.redis.connection import connect


async def mark_partitions(address: RedisAddress, count: int, created_at: int) -> None:
    """Write the mark of an installation into each of its partitions; repeating it is harmless.

    Raises OSError, TimeoutError or hiredis.ReplyError, that of a slot that moves included.
    """
    topology = topology_of(address)
    await topology.read(max_age=0)
    keys: dict[RedisNode, list[str]] = defaultdict(list)
    for partition in range(count):
        key = keyspace.partition_mark(partition)
        node = topology.primary_of(slot_of(key))
        if node is None:
            raise ConnectionError(f"No primary has the slot of partition {partition}")
        keys[node].append(key)
    for node, marks in keys.items():
        connection = await connect(address.at(node))
        try:
            await asyncio.gather(
                *(connection.request("HSET", key, "created", created_at) for key in marks)
            )
        finally:
            connection.abort()
