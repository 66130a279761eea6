"""Timers for thousands of futures: those that are due at about the same time share one."""

import asyncio
import math

STEP_SECONDS = 0.05


class CoarseTimers:
    """Resolves futures after a time, up to STEP_SECONDS late. A future costs eight bytes."""

    def __init__(self) -> None:
        self._batches: dict[int, list[asyncio.Future[None]]] = {}

    def resolve_after(
        self, seconds: float, future: "asyncio.Future[None]", loop: asyncio.AbstractEventLoop
    ) -> None:
        """Resolve the future after `seconds`, unless it is done by then."""
        step = math.ceil((loop.time() + seconds) / STEP_SECONDS)
        batch = self._batches.get(step)
        if batch is None:
            batch = self._batches[step] = []
            loop.call_at(step * STEP_SECONDS, self._resolve, step)
        batch.append(future)

    def _resolve(self, step: int) -> None:
        for future in self._batches.pop(step):
            if not future.done():
                future.set_result(None)
