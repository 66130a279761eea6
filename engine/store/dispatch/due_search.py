"""Search for due members of the sorted sets that partitions have, one each.

A set whose first member is known to be due later is not read before, except in a rotation over all
partitions, since members are added without a notice. A new member is due after a second or more: a
rotation that takes no longer finds it in time.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from engine.store.rotation import Rotation

ROTATION_SECONDS = 1.0
QUIET_ROTATION_SECONDS = 2.0
"""Period of the rotation once nothing was scheduled for `QUIET_SECONDS`."""
QUIET_SECONDS = 30.0
MOST = 8_000
"""Members that one search takes."""
MOST_OF_PARTITION = 500
LEAST_OF_PARTITION = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted:
    """References with a due hint, and whether more are scheduled."""

    references: Sequence[str]
    has_more: bool


class DueSearch:
    """Takes due members of the sets, and postpones them.

    It remembers the time at which the first member of each set is due.
    """

    def __init__(self, client: Client, key_of: Callable[[int], str]) -> None:
        self._client = client
        self._key_of = key_of
        self._rotation = Rotation()
        self._first: dict[int, int] = {}
        """Time in milliseconds of the first member of each set that has one, as it was read."""
        self._scheduled_at = time.monotonic()

    async def promote(self, now: int | None, resend_ms: int) -> Promoted:
        """Return members that are due, and postpone each by `resend_ms`.

        `now` is in milliseconds, None for Redis's clock.
        """
        looked = self._look(self._rotation.take(self._period()))
        if now is None:
            (seconds, micros), _ = await asyncio.gather(self._client.send("TIME"), looked)
            now = int(seconds) * 1000 + int(micros) // 1000
        else:
            await looked
        due = [partition for partition, at in self._first.items() if at <= now]
        references = await self._take(due, now, resend_ms) if due else []
        if self._first:
            self._scheduled_at = time.monotonic()
        return Promoted(references=references, has_more=bool(self._first))

    def _period(self) -> float:
        is_quiet = time.monotonic() - self._scheduled_at > QUIET_SECONDS
        return QUIET_ROTATION_SECONDS if is_quiet else ROTATION_SECONDS

    async def _look(self, some: Sequence[int]) -> None:
        """Read the first members of partitions."""
        replies = await asyncio.gather(
            *(self._client.send("ZRANGE", self._key_of(p), 0, 0, "WITHSCORES") for p in some)
        )
        for partition, members in zip(some, replies, strict=True):
            self._note(partition, members[0][1] if members else None)

    async def _take(self, due: Sequence[int], now: int, resend_ms: int) -> Sequence[str]:
        most = max(LEAST_OF_PARTITION, min(MOST_OF_PARTITION, MOST // len(due)))
        replies = await asyncio.gather(
            *(
                self._client.call(
                    SCRIPTS["promote_due"],
                    due=self._key_of(partition),
                    now=now,
                    most=most,
                    repeat_ms=resend_ms,
                )
                for partition in due
            )
        )
        for partition, (first, _) in zip(due, replies, strict=True):
            self._note(partition, first)
        return [name.decode() for _, names in replies for name in names]

    def _note(self, partition: int, first: Any) -> None:
        if first is None:
            self._first.pop(partition, None)
        else:
            self._first[partition] = int(float(first))
