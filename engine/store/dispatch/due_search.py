"""Search for due members of the sorted sets that partitions have, one each.

A new member is due after a second or more: a rotation over all sets that takes no longer finds it
in time.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.store.partitioned.first_members import FirstMembers
from engine.store.redis.client import Client
from engine.store.redis.info import read_now
from engine.store.redis.scripts import SCRIPTS

ROTATION_SECONDS = 1.0
QUIET_ROTATION_SECONDS = 2.0
"""Period of the rotation once nothing was scheduled for `QUIET_SECONDS`."""
QUIET_SECONDS = 30.0
SOON_MS = 60_000
"""Members that are due later, as those of long waits are, let the search be quiet."""
MOST = 8_000
"""Members that one search takes."""
MOST_OF_PARTITION = 500
LEAST_OF_PARTITION = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted:
    """References with a due hint, and whether more are scheduled soon."""

    references: Sequence[str]
    has_more: bool


class DueSearch:
    """Takes due members of the sets, and postpones them."""

    def __init__(self, client: Client, key_of: Callable[[int], str]) -> None:
        self._client = client
        self._key_of = key_of
        self._first = FirstMembers(client, key_of)
        self._scheduled_at = time.monotonic()

    async def promote(self, now: int | None, resend_ms: int) -> Promoted:
        """Return members that are due, and postpone each by `resend_ms`.

        `now` is in milliseconds, None for Redis's clock.
        """
        if now is None:
            now = await read_now(self._client)
        due = await self._first.due(now, self._period())
        references = await self._take(due, now, resend_ms) if due else []
        first = self._first.first_time
        is_soon = first is not None and first <= now + SOON_MS
        if is_soon:
            self._scheduled_at = time.monotonic()
        return Promoted(references=references, has_more=is_soon)

    def _period(self) -> float:
        is_quiet = time.monotonic() - self._scheduled_at > QUIET_SECONDS
        return QUIET_ROTATION_SECONDS if is_quiet else ROTATION_SECONDS

    async def _take(self, due: Sequence[int], now: int, resend_ms: int) -> Sequence[str]:
        """Return due members, in rounds while a partition may have more of them.

        So a member is found in time behind thousands of others of its partition.
        """
        taken: list[str] = []
        while due and len(taken) < MOST:
            names, due = await self._take_round(due, now, resend_ms)
            taken += names
        return taken

    async def _take_round(
        self, due: Sequence[int], now: int, resend_ms: int
    ) -> tuple[Sequence[str], Sequence[int]]:
        """Return a bounded number of members of each partition, and partitions that have more."""
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
            self._first.note(partition, first)
        found = [name.decode() for _, names in replies for name in names]
        pairs = zip(due, replies, strict=True)
        return found, [partition for partition, (_, names) in pairs if len(names) == most]
