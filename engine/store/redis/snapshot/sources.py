"""Snapshots of all primaries of an address."""

from collections.abc import Sequence
from typing import Any

import hiredis
from redis.asyncio.connection import parse_url

from engine.errors import Unavailable
from engine.store.redis.connection import connect
from engine.store.redis.snapshot.stream import SnapshotStream


async def open_snapshots(url: str) -> Sequence[SnapshotStream]:
    """Open a snapshot of each primary. Raises SnapshotRefused or Unavailable."""
    try:
        connection = await connect(url)
    except (OSError, TimeoutError, ValueError, hiredis.HiredisError) as error:
        raise Unavailable("The store cannot be reached right now") from error
    return [await SnapshotStream.open(connection)]


def database_of(url: str) -> int:
    """Return the number of the database that an address names."""
    options: Any = parse_url(url)
    return int(options.get("db") or 0)
