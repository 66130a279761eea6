"""Looking names up: in threads of its own, with a deadline, each name once at a time."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

LOOKUP_SECONDS = 5.0
THREADS = 64
"""A look-up that hangs holds a thread for as long as the system's resolver likes."""


class NotFound(OSError):
    """The name has no addresses, or none in time."""


class Lookups:
    """Names to addresses; nothing is remembered, so each call sees what holds now."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="lookup")
        self._tasks: dict[str, asyncio.Task[list[str]]] = {}

    async def find(self, host: str) -> list[str]:
        """All addresses of a name; those who ask at the same time share one look-up."""
        task = self._tasks.get(host)
        if task is None:
            task = asyncio.create_task(self._find(host))
            task.add_done_callback(lambda done: self._forget(host, done))
            self._tasks[host] = task
        return await asyncio.shield(task)

    def close(self) -> None:
        """Let the threads go without waiting for look-ups that hang."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _forget(self, host: str, done: asyncio.Task[list[str]]) -> None:
        del self._tasks[host]
        if not done.cancelled():
            done.exception()

    async def _find(self, host: str) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                found = await loop.run_in_executor(self._threads, _ask, host)
        except (OSError, RuntimeError, UnicodeError):  # among them TimeoutError, and no thread left
            raise NotFound from None
        return found


def _ask(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))
