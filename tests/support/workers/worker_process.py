"""Worker processes that tests may kill."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator

from tests.support.redis.installation import SECRET_KEY

MAIN = """
import sys
from engine.settings import load
from workers.main import run
sys.exit(run(load()))
"""


class WorkerProcess:
    """A worker in a process of its own, which tests may kill; `more` is in its environment."""

    def __init__(self, redis_url: str, **more: str) -> None:
        self.environ = {
            **os.environ,
            "HEADRACE_REDIS_URL": redis_url,
            "HEADRACE_ALLOW_PRIVATE_URLS": "1",
            "HEADRACE_CPU_SLOTS": "1",
            "HEADRACE_SECRET_KEY": SECRET_KEY,
            **more,
        }
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", MAIN, env=self.environ
        )

    async def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for the process; returns its exit code."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        return await self._process.wait()


@contextlib.asynccontextmanager
async def worker_processes(
    redis_url: str, count: int, **more: str
) -> AsyncIterator[list[WorkerProcess]]:
    """Start worker processes; those that still run are killed at the end."""
    async with contextlib.AsyncExitStack() as stack:
        processes = [WorkerProcess(redis_url, **more) for _ in range(count)]
        for process in processes:
            await process.start()
            stack.push_async_callback(process.end, signal.SIGKILL)
        yield processes
