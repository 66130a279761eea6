"""Executions that wait without a worker: for a time, an answer, their children, or a late retry.

Nothing lists them. They are the members of the sorted sets of due times whose time is over a minute
ahead, as that of no hint is.
"""

import asyncio
from collections.abc import Iterable

from msgspec import Struct

from engine.store.partitioned.rotation import Rotation
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.info import read_now

AHEAD_MS = 60_000
"""Least time to the next step of an execution that counts as parked."""
LOOKED_AT = 4
"""Executions of a partition, those that go on first and last, of which the oldest is sought."""
ROTATION_SECONDS = 30.0


class Parked(Struct, frozen=True):
    """Number of executions, and the age in seconds of the oldest that is known."""

    count: int
    oldest_seconds: float


class _Read(Struct, frozen=True):
    count: int
    oldest_at: int | None


class ParkedExecutions:
    """Counts them by a bounded number of reads.

    With many partitions the figures of some are up to `ROTATION_SECONDS` old.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._rotation = Rotation()
        self._found: dict[int, _Read] = {}

    async def read(self) -> Parked:
        """Return the figures of all partitions. Raises Unavailable."""
        now = await read_now(self._client)
        places = self._rotation.take(ROTATION_SECONDS)
        reads = await asyncio.gather(*(self._read(place, now + AHEAD_MS) for place in places))
        self._found |= zip(places, reads, strict=True)
        found = self._found.values()
        oldest = min((each.oldest_at for each in found if each.oldest_at is not None), default=now)
        return Parked(sum(each.count for each in found), max(0, now - oldest) / 1_000)

    async def _read(self, partition: int, since: int) -> _Read:
        key, limit = keyspace.due(partition), ("LIMIT", 0, LOOKED_AT)
        count, first, last = await asyncio.gather(
            self._client.send("ZCOUNT", key, since, "+inf"),
            self._client.send("ZRANGE", key, since, "+inf", "BYSCORE", *limit),
            self._client.send("ZRANGE", key, "+inf", since, "BYSCORE", "REV", *limit),
        )
        return _Read(int(count), await self._oldest({*first, *last}))

    async def _oldest(self, names: Iterable[bytes]) -> int | None:
        """Return the time of acceptance of the oldest of these executions."""
        places = (keyspace.parse_reference(name.decode()) for name in names)
        created = await asyncio.gather(
            *(self._client.send("HGET", keyspace.execution(*place), "created") for place in places)
        )
        return min((int(each) for each in created if each is not None), default=None)
