"""Slots of a process that accounts share, each with a limit of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class AccountSlots:
    """Semaphore of `limit` slots, of which one account has at most `share`.

    Accounts that wait get a free slot in turns, so none waits for all the calls of another.
    """

    def __init__(self, limit: int, share: int) -> None:
        self._free = limit
        self._share = share
        self._taken: dict[str, int] = {}
        self._waiting: dict[str, dict[asyncio.Future[None], None]] = {}
        """By account, in order of arrival."""
        self._turns: dict[str, None] = {}
        """Accounts that wait and have less than their share, the next one first."""

    @property
    def taken(self) -> int:
        """Slots that are held now."""
        return sum(self._taken.values())

    @contextlib.asynccontextmanager
    async def slot(self, account_id: str) -> AsyncIterator[None]:
        """Hold a slot of the account."""
        await self.acquire(account_id)
        try:
            yield
        finally:
            self.release(account_id)

    def try_acquire(self, account_id: str) -> bool:
        """Take a slot if that needs no wait."""
        taken = self._taken.get(account_id, 0)
        if not self._free or taken >= self._share:
            return False
        self._free -= 1
        self._taken[account_id] = taken + 1
        return True

    async def acquire(self, account_id: str) -> None:
        """Take a slot in the account's turn; a cancelled wait holds no slot."""
        if self.try_acquire(account_id):
            return
        granted = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(account_id, {})[granted] = None
        self._line_up(account_id)
        try:
            await granted
        except BaseException:
            if granted.done() and not granted.cancelled():
                self.release(account_id)  # granted in the moment in which the caller gave up
            else:
                self._withdraw(account_id, granted)
            raise

    def release(self, account_id: str) -> None:
        """Return a slot to whose turn it is."""
        self._free += 1
        taken = self._taken[account_id] - 1
        if taken:
            self._taken[account_id] = taken
        else:
            del self._taken[account_id]
        self._line_up(account_id)
        while self._free and self._turns:
            self._grant(next(iter(self._turns)))

    def _grant(self, account_id: str) -> None:
        del self._turns[account_id]
        granted = next(iter(self._waiting[account_id]))
        self._withdraw(account_id, granted)
        if not granted.done():  # else its caller is about to give up
            self.try_acquire(account_id)
            granted.set_result(None)
        self._line_up(account_id)

    def _line_up(self, account_id: str) -> None:
        """Give an account a turn, after all others, if it waits and may take more."""
        if account_id in self._waiting and self._taken.get(account_id, 0) < self._share:
            self._turns.setdefault(account_id)

    def _withdraw(self, account_id: str, granted: "asyncio.Future[None]") -> None:
        waiting = self._waiting.get(account_id, {})
        waiting.pop(granted, None)
        if not waiting:
            self._waiting.pop(account_id, None)
            self._turns.pop(account_id, None)
