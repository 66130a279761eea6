"""Age of the oldest hint whose execution waits for a worker: the signal that scales workers.

A hint has no time, so the age is that of its execution, from its record. These do not count:
executions that a worker has begun, also when they wait for another worker now; executions that
workers leave because they do not know a part of them; hints of deliveries and of unknown forms.
"""

import asyncio
from collections.abc import Iterable, Sequence

from engine.store.dispatch.hints import (
    BULK_QUEUE,
    WALK_ACTOR,
    WALK_QUEUE,
    HintSender,
    parse_hint,
)
from engine.store.executions.record_fields import UNKNOWN
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.info import read_now

FIRST_HINTS = 8
SPREAD_HINTS = 8
"""Hints that are read behind the first ones when none of those counts.

A hint is sent again while it waits, so a long queue may begin with many whose executions have
ended.
"""
_FIELDS = ("status", "created", "started", "holders", UNKNOWN)


class OldestHint:
    """Reads the age from a bounded number of hints and records; changes nothing."""

    def __init__(self, client: Client, hints: HintSender) -> None:
        self._client = client
        self._hints = hints

    async def read_seconds(self) -> float:
        """Return the age in seconds by Redis's clock, 0 when nothing waits. Raises Unavailable."""
        queues = (self._created_in(WALK_QUEUE), self._created_in(BULK_QUEUE))
        now, *oldest = await asyncio.gather(read_now(self._client), *queues)
        ages = [now - created for created in oldest if created is not None]
        # An account's time is that of another server of a cluster, so it may be ahead.
        return max(0, *ages) / 1_000 if ages else 0.0

    async def _created_in(self, queue: str) -> int | None:
        """Return the creation time in milliseconds of the oldest execution that waits."""
        oldest = await self._oldest_at(queue, range(FIRST_HINTS))
        if oldest is None:
            depths = await self._hints.depths([queue])
            oldest = await self._oldest_at(queue, spread_places(depths[queue]))
        return oldest

    async def _oldest_at(self, queue: str, places: Iterable[int]) -> int | None:
        hints = await self._hints.at(queue, places)
        keys = {key for hint in hints if (key := _record_key(hint)) is not None}
        replies = (self._client.send("HMGET", key, *_FIELDS) for key in keys)
        waiting = [_waits_since(*fields) for fields in await asyncio.gather(*replies)]
        return min((created for created in waiting if created is not None), default=None)


def spread_places(depth: int) -> Sequence[int]:
    """Return positions that are evenly spread behind the first hints of a queue."""
    behind = max(0, depth - FIRST_HINTS)
    places = {FIRST_HINTS + behind * step // SPREAD_HINTS for step in range(SPREAD_HINTS)}
    return sorted(place for place in places if place < depth)


def _record_key(hint: bytes) -> str | None:
    try:
        actor, reference = parse_hint(hint)
        key = keyspace.execution(*keyspace.parse_reference(reference))
    except ValueError:
        return None  # of a later release, or not a hint
    return key if actor == WALK_ACTOR else None


def _waits_since(
    status: bytes | None,
    created: bytes | None,
    started: bytes | None,
    holders: bytes | None,
    unknown: bytes | None,
) -> int | None:
    """Return the creation time of an execution that no worker has begun, else None."""
    is_held = holders is not None and int(holders) > 0
    if status != b"processing" or created is None or started is not None or is_held or unknown:
        return None
    return int(created)
