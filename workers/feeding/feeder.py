"""Loop of all feeders: each takes the items of a list that may begin, and begins them."""

import asyncio
import logging
import secrets
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import ClassVar

from engine.errors import EngineError, StorageFailed
from engine.executions.batches import ItemStatus
from engine.process.account_semaphore import AccountSemaphore

CANCELS_AT_ONCE = 100

log = logging.getLogger(__name__)


class Feeder(ABC):
    """Feeds lists in the background, one task each; accounts take turns.

    A feed that fails is left to the next look at the list, which is on record.
    """

    noun: ClassVar[str]
    """Word for a list, in the log."""
    feeds_at_once: ClassVar[int] = 8
    feeds_of_account: ClassVar[int] = 2

    def __init__(self) -> None:
        self._slots = AccountSemaphore(self.feeds_at_once, self.feeds_of_account)
        self._feeds: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._again: set[tuple[str, str]] = set()
        self._is_stopped = False

    def is_feeding(self, account_id: str, name: str) -> bool:
        """Return whether a feed of a list is under way."""
        return (account_id, name) in self._feeds

    def feed_soon(self, account_id: str, name: str) -> None:
        """Feed a list in the background; once more if that has begun already."""
        ids = (account_id, name)
        if self._is_stopped:
            return
        if ids in self._feeds:
            self._again.add(ids)
            return
        task = asyncio.get_running_loop().create_task(self._feed_safely(*ids))
        self._feeds[ids] = task
        task.add_done_callback(lambda _: self._done(ids))

    def _done(self, ids: tuple[str, str]) -> None:
        del self._feeds[ids]
        if ids in self._again:
            self._again.discard(ids)
            self.feed_soon(*ids)

    async def stop(self) -> None:
        """Begin nothing more, and wait for what is on its way."""
        self._is_stopped = True
        await asyncio.gather(*self._feeds.values(), return_exceptions=True)

    async def _feed_safely(self, account_id: str, name: str) -> None:
        try:
            await self.feed(account_id, name)
        except StorageFailed:
            pass  # it was logged at its place
        except EngineError as error:
            log.warning(
                "cannot feed a %s",
                self.noun,
                extra={"account_id": account_id, "reason": error.message},
            )
        except Exception:
            extra = {"account_id": account_id, f"{self.noun}_id": name}
            log.exception("a feed failed unexpectedly", extra=extra)

    async def feed(self, account_id: str, name: str) -> None:
        """Begin items for as long as there is room. Raises Unavailable or StorageFailed."""
        token = secrets.token_hex(8)
        while not self._is_stopped:
            async with self._slots.slot(account_id):
                if not await self._feed_once(account_id, name, token):
                    return

    @abstractmethod
    async def _feed_once(self, account_id: str, name: str, token: str) -> bool:
        """Begin the next items; return whether there may be room for more.

        `token` is that of one feed. Raises Unavailable or StorageFailed.
        """


async def cancel_running(states: str, cancel: Callable[[int], Awaitable[None]]) -> None:
    """Cancel each item whose state is that of a running one, many at once."""
    running = [i for i, code in enumerate(states) if code == ItemStatus.PROCESSING.code]
    for start in range(0, len(running), CANCELS_AT_ONCE):
        await asyncio.gather(*map(cancel, running[start : start + CANCELS_AT_ONCE]))
