"""Limits on the executions of a worker process: those that compute, and those that it holds."""

import asyncio
import contextlib
import time
from collections.abc import Callable

from engine.store.dispatch.hints import BULK_QUEUE, WALK_QUEUE

BULK_LIMIT = 64
"""While this many executions compute, no further one of an account with many is started."""
BULK_LIMIT_BESIDE_OTHERS = 1
"""The same while others had executions started a short while ago."""
OTHERS_SECONDS = 1.0


class LoadGate:
    """Counts executions that compute rather than wait, and limits the start of bulk executions."""

    def __init__(self) -> None:
        self.queue = WALK_QUEUE
        """Queue of the hints that are taken now."""
        self._busy = 0
        self._others_until = 0.0
        self._ended = asyncio.Event()

    def begin(self) -> None:
        """Count an execution that starts to compute."""
        self._busy += 1

    def end(self) -> None:
        """Uncount an execution that waits, or is over."""
        self._busy -= 1
        self._ended.set()

    def note_hints(self, queue: str) -> None:
        """Note that hints of a queue are taken: other ones than the bulk queue's are of accounts
        with few executions.
        """
        self.queue = queue
        if queue != BULK_QUEUE:
            self._others_until = time.monotonic() + OTHERS_SECONDS

    async def wait_quiet(self, seconds: float) -> int:
        """Wait up to `seconds` while the limit is reached.

        Returns how many bulk executions may start, at least one.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._busy >= self._limit:
                    self._ended.clear()
                    await self._ended.wait()
        return max(1, self._limit - self._busy)

    @property
    def _limit(self) -> int:
        return BULK_LIMIT_BESIDE_OTHERS if time.monotonic() < self._others_until else BULK_LIMIT


class ConcurrencyLimit:
    """Bounds the executions of this process; the consumer takes slots, the walker frees them.

    `bound` returns a further limit for now; its owner calls `wake` when it grows.
    """

    def __init__(self, count: int, bound: Callable[[], int] | None = None) -> None:
        self.load_gate = LoadGate()
        self._free = count
        self._bound = bound
        self._is_open = True
        self._freed = asyncio.Event()

    @property
    def free(self) -> int:
        """Number of free slots."""
        if not self._is_open:
            return 0
        return self._free if self._bound is None else min(self._free, self._bound())

    async def wait_free(self) -> int:
        """Wait for a free slot; returns the number of free slots."""
        while self.free < 1:
            self._freed.clear()
            await self._freed.wait()
        return self.free

    def take_slots(self, count: int) -> None:
        """Take slots for fetched hints."""
        self._free -= count

    def release_slot(self) -> None:
        """Free a slot."""
        self._free += 1
        self.wake()

    def wake(self) -> None:
        """Check the free slots again."""
        self._freed.set()

    def close(self) -> None:
        """Take no more hints."""
        self._is_open = False
