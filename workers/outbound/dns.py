"""Looking names up: beside the event loop, with a deadline, each name once at a time."""

import asyncio
import contextlib
import socket
import threading

LOOKUP_SECONDS = 5.0
MAX_LOOKUPS = 64
"""Of those at once; one that hangs goes on for as long as the system's resolver likes."""


class NameNotFound(OSError):
    """The name has no addresses, or none in time."""


class NameResolver:
    """Names to addresses; nothing is remembered, so each call sees what holds now."""

    def __init__(self) -> None:
        self._capacity = asyncio.Semaphore(MAX_LOOKUPS)
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
        """Wait for nobody."""
        for task in self._tasks.values():
            task.cancel()

    def _forget(self, host: str, done: asyncio.Task[list[str]]) -> None:
        del self._tasks[host]
        if not done.cancelled():
            done.exception()

    async def _find(self, host: str) -> list[str]:
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                await self._capacity.acquire()
                found = await self._start_lookup(host)
        except TimeoutError:
            raise NameNotFound from None
        if not found:
            raise NameNotFound
        return found

    def _start_lookup(self, host: str) -> asyncio.Future[list[str]]:
        """Ask in a thread that the end of the process does not wait for; none: nothing found."""
        loop = asyncio.get_running_loop()
        answer = loop.create_future()

        def settle(found: list[str]) -> None:
            self._capacity.release()
            if not answer.done():
                answer.set_result(found)

        def work() -> None:
            found = _look_up(host)
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(settle, found)

        try:
            threading.Thread(target=work, name="lookup", daemon=True).start()
        except RuntimeError:  # no thread left
            settle([])
        return answer


def _look_up(host: str) -> list[str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(info[4][0]) for info in found))
