"""Pace at which accounts with many children begin further ones, so that all take turns.

The hints of children stand in one queue, first come, first served. An account that has begun many
waits until the queue is short: those of others come soon, however much it has left to begin.
"""

import asyncio
from collections import Counter

from engine.store.dispatch.hints import BULK_QUEUE, HintSender

FEW = 64
"""Children that an account begins in a period without waiting for the queue."""
PERIOD_SECONDS = 1.0
SHORT_QUEUE = 64
"""Hints that wait in a short queue."""
LOOK_SECONDS = 0.005
"""Interval of looks at the queue."""
MOST_LOOKS = 50
"""Looks before an account goes on: the queue may be long of runs that no pace is set for."""


class BeginPace:
    """Counts the children that this worker begins, and lets accounts with many of them wait."""

    def __init__(self, hints: HintSender) -> None:
        self._hints = hints
        self._clock = asyncio.get_running_loop().time
        self._begun: Counter[str] = Counter()
        self._period_ends = 0.0
        self._depth = 0
        self._looked_at = float("-inf")

    async def wait(self, account_id: str) -> None:
        """Wait until it is the account's turn to begin children. Raises Unavailable."""
        self._renew()
        if self._begun[account_id] <= FEW:
            return
        for _ in range(MOST_LOOKS):
            if await self._read_depth() <= SHORT_QUEUE:
                return
            await asyncio.sleep(LOOK_SECONDS)

    def note(self, account_id: str, count: int) -> None:
        """Count children that an account has begun."""
        self._renew()
        self._begun[account_id] += count

    def _renew(self) -> None:
        """Begin a period when the last one is over; accounts that had many then have many still."""
        now = self._clock()
        if now >= self._period_ends:
            self._period_ends = now + PERIOD_SECONDS
            counts = self._begun.items()
            self._begun = Counter({name: FEW for name, count in counts if count > 2 * FEW})

    async def _read_depth(self) -> int:
        now = self._clock()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._depth = (await self._hints.depths((BULK_QUEUE,)))[BULK_QUEUE]
        return self._depth
