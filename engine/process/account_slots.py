"""Slots of a process that accounts take in turns, each at most so many at a time."""

import asyncio
import contextlib
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator


class AccountSlots:
    """Semaphore of `limit` slots, of which one account has at most `share`.

    Accounts that wait get a free slot in turns, so none waits for all the calls of another.
    """

    def __init__(self, limit: int, share: int) -> None:
        self._free = limit
        self._share = share
        self._taken: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @contextlib.asynccontextmanager
    async def slot(self, account_id: str) -> AsyncIterator[None]:
        """Hold a slot of the account."""
        await self._take(account_id)
        try:
            yield
        finally:
            self._give_back(account_id)

    async def _take(self, account_id: str) -> None:
        if self._free and self._taken[account_id] < self._share:
            self._grant(account_id)  # whoever waits is an account with its whole share
            return
        granted = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(account_id, deque()).append(granted)
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self._give_back(account_id)  # granted in the moment of the cancel
            raise

    def _grant(self, account_id: str) -> None:
        self._free -= 1
        self._taken[account_id] += 1

    def _give_back(self, account_id: str) -> None:
        self._free += 1
        self._taken[account_id] -= 1
        if not self._taken[account_id]:
            del self._taken[account_id]
        for waiting in list(self._waiting):
            if not self._free:
                return
            if self._taken[waiting] < self._share:
                self._wake(waiting)

    def _wake(self, account_id: str) -> None:
        """Grant a slot to the account's first call that still waits; the next turn is another's."""
        calls = self._waiting[account_id]
        while calls:
            granted = calls.popleft()
            if not granted.done():
                self._grant(account_id)
                granted.set_result(None)
                break
        if calls:
            self._waiting.move_to_end(account_id)
        else:
            del self._waiting[account_id]
