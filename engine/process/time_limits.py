"""Time limits of thousands of tasks: those that end at about the same time share a timer."""

import asyncio
import math
from types import TracebackType
from typing import NamedTuple

STEP_SECONDS = 0.01
MAX_EMPTY = 16
"""Timers without a limit that are kept, since calls that come one after another share a step."""


class TimeLimits:
    """Makes time limits for the tasks of one event loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._batches: dict[int, _Batch] = {}
        """By the step at which they end."""
        self._empty: dict[int, None] = {}
        """Steps of batches without a limit, the oldest first."""

    def limit(self, seconds: float) -> "TimeLimit":
        """Return a context like `asyncio.timeout(seconds)`, which may end up to a step late."""
        return TimeLimit(self, math.ceil((self.loop.time() + seconds) / STEP_SECONDS))

    def add(self, limit: "TimeLimit") -> None:
        """Let the limit expire at its step."""
        batch = self._batches.get(limit.step)
        if batch is None:
            timer = self.loop.call_at(limit.step * STEP_SECONDS, self._expire, limit.step)
            batch = self._batches[limit.step] = _Batch(timer, set())
        elif not batch.limits:
            del self._empty[limit.step]
        batch.limits.add(limit)

    def remove(self, limit: "TimeLimit") -> None:
        """Forget a limit that has not expired, and before long a timer that is left without any."""
        limits = self._batches[limit.step].limits
        limits.discard(limit)
        if limits:
            return
        self._empty[limit.step] = None
        if len(self._empty) > MAX_EMPTY:
            oldest = next(iter(self._empty))
            del self._empty[oldest]
            self._batches.pop(oldest).timer.cancel()

    def _expire(self, step: int) -> None:
        self._empty.pop(step, None)
        for limit in self._batches.pop(step).limits:
            limit.expire()


class TimeLimit:
    """Context whose task is cancelled when the time is over; raises TimeoutError then."""

    __slots__ = ("_cancelling", "_has_expired", "_limits", "_task", "step")

    def __init__(self, limits: TimeLimits, step: int) -> None:
        self._limits = limits
        self.step = step
        self._has_expired = False

    def expire(self) -> None:
        """Cancel the task."""
        self._has_expired = True
        self._task.cancel()

    def __enter__(self) -> "TimeLimit":
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("A time limit is for a task")
        self._task = task
        self._cancelling = task.cancelling()
        self._limits.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._has_expired:
            self._limits.remove(self)
            return
        is_others = self._task.uncancel() > self._cancelling  # somebody else cancels it too
        if kind is not None and issubclass(kind, asyncio.CancelledError) and not is_others:
            raise TimeoutError from error


class _Batch(NamedTuple):
    """Limits that end together, and their timer."""

    timer: asyncio.TimerHandle
    limits: set[TimeLimit]
