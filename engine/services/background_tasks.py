"""Background tasks of a process: a task that ends is logged, counted and restarted."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from engine.executions.retry import jittered
from engine.telemetry import metrics

PAUSES_SECONDS = (0.1, 0.5, 2.0, 5.0)
"""Delays before restarts; the last one repeats."""
STEADY_SECONDS = 60.0
"""A task that ran for this long restarts after the first delay again."""

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def background(name: str, work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Run `work` during the context, and restart it whenever it ends by itself.

    `name` appears in the log and in metrics.
    """
    task = asyncio.create_task(_keep_running(name, work), name=name)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _keep_running(name: str, work: Callable[[], Awaitable[None]]) -> None:
    ends = 0
    while True:
        began = time.monotonic()
        await _run(name, work)
        metrics.TASKS_RESTARTED.labels(name).inc()
        if time.monotonic() - began >= STEADY_SECONDS:
            ends = 0
        await asyncio.sleep(jittered(PAUSES_SECONDS[min(ends, len(PAUSES_SECONDS) - 1)]))
        ends += 1


async def _run(name: str, work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        # A future that the work awaited was cancelled, not the work.
        log.exception("a background task was interrupted", extra={"task": name})
    except Exception:
        log.exception("a background task failed", extra={"task": name})
    else:
        log.error("a background task ended", extra={"task": name})
