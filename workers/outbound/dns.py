"""Name look-ups beside the event loop: with a deadline, and accounts take turns."""

import asyncio
import contextlib
import socket
import threading
from dataclasses import dataclass

from engine.process.account_semaphore import AccountSemaphore

LOOKUP_SECONDS = 5.0
"""From the start of the look-up; the wait for a slot before it is the caller's to bound."""
MAX_LOOKUPS = 64
"""At the same time; a look-up that hangs lasts as long as the system's resolver."""
MAX_ACCOUNT_LOOKUPS = 8
"""Of these, of one account."""


class NameNotFound(OSError):
    """The name has no addresses, or none in time."""


@dataclass(slots=True)
class _Lookup:
    """A look-up and the number of its callers."""

    task: asyncio.Task[list[str]]
    callers: int = 0


class NameResolver:
    """Resolves names; nothing is cached, so each call sees current addresses."""

    def __init__(self) -> None:
        self._slots = AccountSemaphore(MAX_LOOKUPS, MAX_ACCOUNT_LOOKUPS)
        self._lookups: dict[tuple[str, str], _Lookup] = {}

    async def find(self, host: str, account_id: str = "") -> list[str]:
        """Return all addresses of a name; simultaneous calls of an account share one look-up.

        Raises NameNotFound.
        """
        key = account_id, host
        lookup = self._lookups.get(key)
        if lookup is None:
            task = asyncio.create_task(self._find(host, account_id))
            lookup = self._lookups[key] = _Lookup(task)
            task.add_done_callback(lambda _: self._forget(key, lookup))
        lookup.callers += 1
        try:
            return await asyncio.shield(lookup.task)
        finally:
            lookup.callers -= 1
            if not lookup.callers:
                self._forget(key, lookup)

    def close(self) -> None:
        """Cancel all waits."""
        for lookup in self._lookups.values():
            lookup.task.cancel()

    def _forget(self, key: tuple[str, str], lookup: _Lookup) -> None:
        """Remove a look-up that has ended, or that nobody waits for any more."""
        if self._lookups.get(key) is lookup:
            del self._lookups[key]
        if not lookup.task.cancel() and not lookup.task.cancelled():
            lookup.task.exception()  # perhaps nobody is left to hear of it

    async def _find(self, host: str, account_id: str) -> list[str]:
        await self._slots.acquire(account_id)
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                addresses = await self._start_lookup(host, account_id)
        except TimeoutError:
            raise NameNotFound from None
        if not addresses:
            raise NameNotFound
        return addresses

    def _start_lookup(self, host: str, account_id: str) -> asyncio.Future[list[str]]:
        """Look up in a daemon thread, which cannot delay the end; an error finds nothing.

        The slot is free again when the thread has ended, not when its caller gives up.
        """
        loop = asyncio.get_running_loop()
        answer = loop.create_future()

        def settle(addresses: list[str]) -> None:
            self._slots.release(account_id)
            if not answer.done():
                answer.set_result(addresses)

        def work() -> None:
            addresses = _look_up(host)
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(settle, addresses)

        try:
            threading.Thread(target=work, name="lookup", daemon=True).start()
        except RuntimeError:  # no thread left
            settle([])
        return answer


def _look_up(host: str) -> list[str]:
    try:
        infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(info[4][0]) for info in infos))
