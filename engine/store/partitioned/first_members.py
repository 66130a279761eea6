"""First members of sorted sets of which each partition has one, scored by a time.

A search for members whose time has come reads the sets whose first member is known to be that old,
and all sets in a rotation: members are added without a notice.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from engine.store.partitioned.rotation import Rotation
from engine.store.redis.client import Client


class FirstMembers:
    """Remembers the times of the first members, as they were read last."""

    def __init__(self, client: Client, key_of: Callable[[int], str]) -> None:
        self._client = client
        self._key_of = key_of
        self._rotation = Rotation()
        self._times: dict[int, int] = {}
        """Milliseconds, by partition; sets that were empty are missing."""

    @property
    def has_any(self) -> bool:
        """Whether any set had a member when it was read last."""
        return bool(self._times)

    @property
    def first_time(self) -> int | None:
        """Time in milliseconds of the first member of all, as they were read last."""
        return min(self._times.values(), default=None)

    async def due(self, until: int, period_seconds: float) -> list[int]:
        """Return the partitions with a first member of this time (ms) or before.

        A member in a set that was empty is noticed within the period.
        """
        looked = set(self._rotation.take(period_seconds))
        await self._look(looked.union(self._until(until)))
        return self._until(until)

    async def due_members(self, until: int, count: int, period_seconds: float) -> list[str]:
        """Return at most `count` members of this time (ms) or before; see `due`."""
        names: list[str] = []
        for partition in await self.due(until, period_seconds):
            page = await self._client.send(
                *("ZRANGE", self._key_of(partition), "-inf", until, "BYSCORE"),
                *("LIMIT", 0, count - len(names)),
            )
            names += [name.decode() for name in page]
            if len(names) >= count:
                break
        return names

    def note(self, partition: int, score: Any) -> None:
        """Remember the score of a first member; None: the set is empty."""
        if score is None:
            self._times.pop(partition, None)
        else:
            self._times[partition] = int(float(score))

    def _until(self, until: int) -> list[int]:
        return [partition for partition, at in self._times.items() if at <= until]

    async def _look(self, some: Iterable[int]) -> None:
        places = sorted(some)
        replies = await asyncio.gather(
            *(self._client.send("ZRANGE", self._key_of(p), 0, 0, "WITHSCORES") for p in places)
        )
        for partition, members in zip(places, replies, strict=True):
            self.note(partition, members[0][1] if members else None)
