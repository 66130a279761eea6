"""When nodes are due again: the pauses before the next attempts of one execution."""

import asyncio
from collections.abc import Callable


class Timers:
    """One timer per node; `due` is called with the node's index when its time has come."""

    def __init__(self, due: Callable[[int], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._due = due
        self._handles: dict[int, asyncio.TimerHandle] = {}

    def start(self, index: int, seconds: float) -> None:
        """Let the node be due after a pause; one that is not to be waited for is due soon."""
        self._handles[index] = self._loop.call_later(max(0.0, seconds), self._ring, index)

    def _ring(self, index: int) -> None:
        del self._handles[index]
        self._due(index)

    def has_within(self, seconds: float) -> bool:
        """Whether any node is due within the time."""
        latest = self._loop.time() + seconds
        return any(handle.when() <= latest for handle in self._handles.values())

    def stop(self) -> None:
        """Let nothing be due any more."""
        for handle in self._handles.values():
            handle.cancel()
        self._handles.clear()
