"""Snapshots of the primaries of an address, one by one."""

from collections.abc import Sequence

import hiredis

from engine.errors import Unavailable
from engine.store.redis.address import RedisAddress
from engine.store.redis.cluster.topology import topology_of
from engine.store.redis.connection import connect
from engine.store.redis.snapshot.stream import SnapshotStream


async def find_primaries(address: RedisAddress) -> Sequence[RedisAddress]:
    """Return the address itself, of a cluster those of the primaries. Raises Unavailable."""
    if not address.is_cluster:
        return [address]
    topology = topology_of(address)
    try:
        await topology.read(max_age=0)
    except ConnectionError as error:
        raise Unavailable("The store cannot be reached right now") from error
    return [address.at(node) for node in topology.primaries]


async def open_snapshot(address: RedisAddress) -> SnapshotStream:
    """Open a snapshot of one primary. Raises SnapshotRefused or Unavailable."""
    try:
        connection = await connect(address)
    except (OSError, TimeoutError, ValueError, hiredis.HiredisError) as error:
        raise Unavailable("The store cannot be reached right now") from error
    return await SnapshotStream.open(connection)
