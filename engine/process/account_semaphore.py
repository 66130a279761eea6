"""Fairness between accounts: a semaphore of which each has a share, and that all take in turns."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class AccountSemaphore:
    """Semaphore of `limit` units, such as slots or bytes, of which one account has at most `share`.

    Accounts that wait get free units in turns, so none waits for all the calls of another. A large
    call is not passed by smaller ones that come later.
    """

    def __init__(self, limit: int, share: int) -> None:
        self.limit = limit
        self._free = limit
        """Negative while reservations have grown to more than they waited for."""
        self._share = share
        self._taken: dict[str, int] = {}
        self._waiting: dict[str, dict[asyncio.Future[None], int]] = {}
        """Units that callers wait for by account, in order of arrival."""
        self._turns: dict[str, None] = {}
        """Accounts whose first caller only waits for others, the next one first."""

    @property
    def taken(self) -> int:
        """Units that are held now."""
        return sum(self._taken.values())

    @contextlib.asynccontextmanager
    async def slot(self, account_id: str) -> AsyncIterator[None]:
        """Hold one unit for the account."""
        await self.acquire(account_id)
        try:
            yield
        finally:
            self.release(account_id)

    async def reserve(self, account_id: str, size: int, seconds: float) -> "AccountReservation":
        """Take units, the share at most, for a reservation. Raises TimeoutError after `seconds`."""
        size = min(size, self._share)
        async with asyncio.timeout(seconds):
            await self.acquire(account_id, size)
        return AccountReservation(self, account_id, size)

    def try_acquire(self, account_id: str, size: int = 1) -> bool:
        """Take units if that needs no wait."""
        must_queue = self._turns or account_id in self._waiting
        if must_queue or size > self._free or not self._is_within_share(account_id, size):
            return False
        self._add(account_id, size)
        return True

    async def acquire(self, account_id: str, size: int = 1) -> None:
        """Take units, in turn; a caller that stops waiting loses nothing."""
        if self.try_acquire(account_id, size):
            return
        granted = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(account_id, {})[granted] = size
        self._line_up(account_id)
        try:
            await granted
        except BaseException:
            if granted.done() and not granted.cancelled():
                self.release(account_id, size)  # granted in the moment of giving up
            else:
                self._withdraw(account_id, granted)
                self._line_up(account_id)
                self._grant_all()
            raise

    def release(self, account_id: str, size: int = 1) -> None:
        """Return units to the callers whose turn it is. A negative size takes more at once."""
        self._add(account_id, -size)
        self._line_up(account_id)
        self._grant_all()

    def _add(self, account_id: str, size: int) -> None:
        self._free -= size
        taken = self._taken.get(account_id, 0) + size
        if taken:
            self._taken[account_id] = taken
        else:
            self._taken.pop(account_id, None)

    def _is_within_share(self, account_id: str, size: int) -> bool:
        return self._taken.get(account_id, 0) + size <= self._share

    def _grant_all(self) -> None:
        while self._turns:
            account_id = next(iter(self._turns))
            granted, size = next(iter(self._waiting[account_id].items()))
            is_within_share = self._is_within_share(account_id, size)
            if is_within_share and size > self._free:
                return
            del self._turns[account_id]
            if is_within_share:  # else a reservation has grown meanwhile
                self._withdraw(account_id, granted)
                if not granted.done():  # else its caller is about to give up
                    self._add(account_id, size)
                    granted.set_result(None)
                self._line_up(account_id)

    def _line_up(self, account_id: str) -> None:
        """Give an account a turn, after all others, if its first caller fits into its share."""
        waiting = self._waiting.get(account_id)
        if waiting and self._is_within_share(account_id, next(iter(waiting.values()))):
            self._turns.setdefault(account_id)

    def _withdraw(self, account_id: str, granted: "asyncio.Future[None]") -> None:
        waiting = self._waiting.get(account_id, {})
        waiting.pop(granted, None)
        if not waiting:
            self._waiting.pop(account_id, None)
            self._turns.pop(account_id, None)


class AccountReservation:
    """Units that belong to one caller of an account until `release`."""

    def __init__(self, semaphore: AccountSemaphore, account_id: str, size: int) -> None:
        self._semaphore = semaphore
        self._account_id = account_id
        self._size = size

    def resize(self, size: int) -> None:
        """Set it to the true size, without waiting."""
        self._semaphore.release(self._account_id, self._size - size)
        self._size = size

    def release(self) -> None:
        """Return all of it, once."""
        self.resize(0)
