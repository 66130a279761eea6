"""Outboxes of the history: sorted sets of what has ended, by time, one per partition."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.ids.partitions import partition_of
from engine.store.partitioned.rotation import Rotation
from engine.store.partitioned.set_sizes import SetSizes
from engine.store.redis.client import Client

OLDEST_ROTATION_SECONDS = 2.0
QUIET_ROTATION_SECONDS = 10.0
"""Period of the reads once nothing was found for `QUIET_SECONDS`."""
QUIET_SECONDS = 30.0
BACKLOG_ROTATION_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryBacklog:
    """Number of members that wait for the history, and the time of the oldest in milliseconds."""

    count: int
    oldest_at: int | None


class Outbox:
    """Reads partitions in turn, so that many partitions cost no more than many members."""

    def __init__(self, client: Client, key_of: Callable[[int], str]) -> None:
        self._client = client
        self._key_of = key_of
        self._emptied = Rotation()
        self._found_at = time.monotonic()
        self._sizes = SetSizes(client, key_of, period_seconds=BACKLOG_ROTATION_SECONDS)

    async def oldest(self, count: int) -> list[str]:
        """Return at most `count` oldest members of the next partitions, of the fullest first."""
        is_quiet = time.monotonic() - self._found_at > QUIET_SECONDS
        period = QUIET_ROTATION_SECONDS if is_quiet else OLDEST_ROTATION_SECONDS
        keys = [self._key_of(each) for each in self._emptied.take(period)]
        sizes = await asyncio.gather(*(self._client.send("ZCARD", key) for key in keys))
        wanted: dict[str, int] = {}
        left = count
        for size, key in sorted(zip(map(int, sizes), keys, strict=True), reverse=True):
            wanted[key] = min(size, left)
            left -= wanted[key]
        if left < count:
            self._found_at = time.monotonic()
        pages = await asyncio.gather(
            *(self._client.send("ZRANGE", key, 0, n - 1) for key, n in wanted.items() if n > 0)
        )
        return [name.decode() for page in pages for name in page]

    async def backlog(self) -> HistoryBacklog:
        """Return how many members there are.

        With many partitions the figures of some are up to `BACKLOG_ROTATION_SECONDS` old.
        """
        count, oldest_at = await self._sizes.read()
        return HistoryBacklog(count=count, oldest_at=oldest_at)

    async def move(self, members: Iterable[str], key_of: Callable[[int], str], score: int) -> None:
        """Move members to the sets of these keys, with this score; may be repeated."""
        groups = _by_partition(members)
        await asyncio.gather(
            *(
                self._client.send(
                    "ZADD", key_of(each), *(word for name in names for word in (score, name))
                )
                for each, names in groups.items()
            )
        )
        await self._remove(groups)

    async def remove(self, members: Iterable[str]) -> None:
        """Remove members."""
        await self._remove(_by_partition(members))

    async def _remove(self, groups: Mapping[int, Sequence[str]]) -> None:
        await asyncio.gather(
            *(
                self._client.send("ZREM", self._key_of(each), *names)
                for each, names in groups.items()
            )
        )


def _by_partition(members: Iterable[str]) -> Mapping[int, Sequence[str]]:
    """Return members, which begin with an account's id, by partition."""
    groups: dict[int, list[str]] = {}
    for name in members:
        groups.setdefault(partition_of(name.partition("/")[0]), []).append(name)
    return groups
