"""Snapshots of all primaries of an address."""

from collections.abc import Sequence

import hiredis

from engine.errors import Unavailable
from engine.store.redis.address import RedisAddress
from engine.store.redis.connection import connect
from engine.store.redis.snapshot.stream import SnapshotStream


async def open_snapshots(address: RedisAddress) -> Sequence[SnapshotStream]:
    """Open a snapshot of each primary. Raises SnapshotRefused or Unavailable."""
    try:
        connection = await connect(address)
    except (OSError, TimeoutError, ValueError, hiredis.HiredisError) as error:
        raise Unavailable("The store cannot be reached right now") from error
    return [await SnapshotStream.open(connection)]
