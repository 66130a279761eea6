"""Timers of one execution for the next attempts of its nodes."""

import asyncio
from collections.abc import Callable


class Timers:
    """One timer per node.

    Each start passes the callback, so that a walk without timers is no reference cycle: collecting
    such cycles takes a sixth of a worker's time.
    """

    __slots__ = ("_due_at", "_handles", "_loop")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._handles: dict[int, asyncio.Handle] = {}
        self._due_at: dict[int, float] = {}

    def start(self, index: int, seconds: float, due: Callable[[int], None]) -> None:
        """Call `due` after a pause; a negative pause counts as 0."""
        pause = max(0.0, seconds)
        # Not every loop's handle knows when it is due: uvloop's does not for less than half a ms.
        self._due_at[index] = self._loop.time() + pause
        self._handles[index] = self._loop.call_later(pause, self._fire, index, due)

    def _fire(self, index: int, due: Callable[[int], None]) -> None:
        del self._handles[index], self._due_at[index]
        due(index)

    def has_within(self, seconds: float) -> bool:
        """Return whether any node is due within the time."""
        latest = self._loop.time() + seconds
        return any(due_at <= latest for due_at in self._due_at.values())

    def stop(self) -> None:
        """Cancel all timers."""
        for handle in self._handles.values():
            handle.cancel()
        self._handles.clear()
        self._due_at.clear()
