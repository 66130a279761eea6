"""Timers for thousands of items: those that are due at about the same time share one."""

import asyncio
import math
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

MAX_EMPTY = 16
"""Timers without an item that are kept, since items that come one after another share a step."""

T = TypeVar("T")


class BatchTimers(Generic[T]):
    """Calls `expire` with each item after its time, up to `step_seconds` late and never before."""

    def __init__(self, expire: Callable[[T], None], step_seconds: float) -> None:
        self._call = expire
        self._step_seconds = step_seconds
        self._batches: dict[int, _Batch[T]] = {}
        """By the step at which they are due."""
        self._empty: dict[int, None] = {}
        """Steps of batches without an item, the oldest first."""

    def add(self, seconds: float, item: T) -> int:
        """Let the item expire after `seconds`; return its step."""
        loop = asyncio.get_running_loop()
        step = math.ceil((loop.time() + seconds) / self._step_seconds)
        batch = self._batches.get(step)
        if batch is None:
            timer = loop.call_at(step * self._step_seconds, self._expire, step)
            batch = self._batches[step] = _Batch(timer, set())
        elif not batch.items:
            del self._empty[step]
        batch.items.add(item)
        return step

    def remove(self, step: int, item: T) -> None:
        """Forget an item that has not expired, and before long a timer that is left without any."""
        items = self._batches[step].items
        items.discard(item)
        if items:
            return
        self._empty[step] = None
        if len(self._empty) > MAX_EMPTY:
            oldest = next(iter(self._empty))
            del self._empty[oldest]
            self._batches.pop(oldest).timer.cancel()

    def _expire(self, step: int) -> None:
        self._empty.pop(step, None)
        for item in self._batches.pop(step).items:
            self._call(item)


class _Batch(NamedTuple, Generic[T]):
    """Items that are due together, and their timer."""

    timer: asyncio.TimerHandle
    items: set[T]
