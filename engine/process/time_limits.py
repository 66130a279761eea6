"""Time limits of thousands of tasks, on timers that they share."""

import asyncio

from engine.process.batch_timers import BatchTimers

STEP_SECONDS = 0.01


class TimeLimits:
    """Makes time limits for tasks."""

    def __init__(self) -> None:
        self.timers = BatchTimers(TimeLimit.expire, STEP_SECONDS)

    def limit(self, seconds: float) -> "TimeLimit":
        """Return a context like `asyncio.timeout(seconds)`, which may end up to a step late."""
        return TimeLimit(self.timers, seconds)


class TimeLimit:
    """Context whose task is cancelled when the time is over; raises TimeoutError then."""

    __slots__ = ("_cancelling", "_has_expired", "_seconds", "_step", "_task", "_timers")

    def __init__(self, timers: "BatchTimers[TimeLimit]", seconds: float) -> None:
        self._timers = timers
        self._seconds = seconds
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
        self._step = self._timers.add(self._seconds, self)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not self._has_expired:
            self._timers.remove(self._step, self)
            return
        is_others = self._task.uncancel() > self._cancelling  # another caller cancels the task too
        if isinstance(error, asyncio.CancelledError) and not is_others:
            raise TimeoutError from error
