"""When nodes are due again: the pauses before the next attempts of one execution."""

import asyncio
from collections.abc import Callable


class Timers:
    """One timer per node.

    What it calls comes with each start, so that a walk without any is no cycle: the collector's
    work on those is a sixth of a worker's.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._handles: dict[int, asyncio.Handle] = {}
        self._due_at: dict[int, float] = {}

    def start(self, index: int, seconds: float, due: Callable[[int], None]) -> None:
        """Let the node be due after a pause; one that is not to be waited for is due soon."""
        pause = max(0.0, seconds)
        # Not every loop's handle knows when it is due: uvloop's does not for less than half a ms.
        self._due_at[index] = self._loop.time() + pause
        self._handles[index] = self._loop.call_later(pause, self._completion, index, due)

    def _completion(self, index: int, due: Callable[[int], None]) -> None:
        del self._handles[index], self._due_at[index]
        due(index)

    def has_within(self, seconds: float) -> bool:
        """Whether any node is due within the time."""
        latest = self._loop.time() + seconds
        return any(due_at <= latest for due_at in self._due_at.values())

    def stop(self) -> None:
        """Let nothing be due any more."""
        for handle in self._handles.values():
            handle.cancel()
        self._handles.clear()
        self._due_at.clear()
