"""Name look-ups beside the event loop, with a deadline, each name once at a time."""

import asyncio
import contextlib
import socket
import threading

LOOKUP_SECONDS = 5.0
MAX_LOOKUPS = 64
"""At the same time; a look-up that hangs lasts as long as the system's resolver."""


class NameNotFound(OSError):
    """The name has no addresses, or none in time."""


class NameResolver:
    """Resolves names; nothing is cached, so each call sees current addresses."""

    def __init__(self) -> None:
        self._capacity = asyncio.Semaphore(MAX_LOOKUPS)
        self._tasks: dict[str, asyncio.Task[list[str]]] = {}

    async def find(self, host: str) -> list[str]:
        """Return all addresses of a name; simultaneous calls share one look-up."""
        task = self._tasks.get(host)
        if task is None:
            task = asyncio.create_task(self._find(host))
            task.add_done_callback(lambda done: self._forget(host, done))
            self._tasks[host] = task
        return await asyncio.shield(task)

    def close(self) -> None:
        """Cancel all waits."""
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
        """Look up in a daemon thread, which cannot delay the end; an error finds nothing."""
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
