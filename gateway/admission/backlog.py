"""Length of the queue of hints, polled twice a second so that no request pays for it."""

import asyncio
import contextlib

from engine.errors import EngineError, QueueFull
from engine.store import HintSender

POLL_SECONDS = 0.5


class Backlog:
    """Knows whether the queue is over its limit; a limit of 0 means none."""

    def __init__(self, hints: HintSender, limit: int) -> None:
        self._hints = hints
        self._limit = limit
        self._depth = 0

    async def watch(self) -> None:
        """Poll until cancelled."""
        while self._limit:
            with contextlib.suppress(EngineError):
                self._depth = await self._hints.depth()
            await asyncio.sleep(POLL_SECONDS)

    def check(self) -> None:
        """Raise QueueFull when no more runs should be accepted for now."""
        if self._limit and self._depth >= self._limit:
            raise QueueFull
