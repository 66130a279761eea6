"""Fairness between accounts: under contention, each has only a few requests in progress.

An account on its own has many, but not thousands: what a request needs while it is accepted would
stay with the process for as long as all their runs last.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator

MAX_BEGUN = 2
MAX_BEGUN_ALONE = 128
"""The same for an account on its own: pipelines shared by so many requests are as fast as any."""
MANY_WAITING = 4
"""An account with more requests waiting pauses between them, so that others can start."""
PAUSE_SECONDS = 0.001
CONTENDED_SECONDS = 1.0
"""Time for which an account counts as a competitor after its last request."""


class AccountFairness:
    """Queues the requests of an account behind each other while other accounts compete."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._begun: dict[str, int] = {}
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._latest = ""
        self._contended_until = 0.0

    def turn(self, account_id: str) -> "AccountTurn":
        """Return a turn of the account, for one request."""
        return AccountTurn(self, account_id)

    async def begin(self, account_id: str) -> None:
        """Wait until a request of the account may use this process; `end` must follow."""
        if account_id != self._latest:
            self._note(account_id)
        begun = self._begun.get(account_id, 0)
        if begun < self._limit:
            self._begun[account_id] = begun + 1
        else:
            await self._wait(account_id)

    def end(self, account_id: str) -> None:
        """Let the next request of the account begin."""
        is_long = len(self._waiting.get(account_id, ())) > MANY_WAITING
        if is_long and self._limit == MAX_BEGUN:
            self._loop.call_later(PAUSE_SECONDS, self._end, account_id)
        else:
            self._end(account_id)

    def _end(self, account_id: str) -> None:
        begun = self._begun[account_id] - 1
        if account_id in self._waiting:
            begun += self._wake(account_id, self._limit - begun)
        if begun:
            self._begun[account_id] = begun
        else:
            del self._begun[account_id]

    @property
    def _limit(self) -> int:
        is_contended = self._loop.time() <= self._contended_until
        return MAX_BEGUN if is_contended else MAX_BEGUN_ALONE

    def _note(self, account_id: str) -> None:
        if self._latest:
            self._contended_until = self._loop.time() + CONTENDED_SECONDS
        self._latest = account_id

    async def _wait(self, account_id: str) -> None:
        future = self._loop.create_future()
        self._waiting.setdefault(account_id, deque()).append(future)
        try:
            await future
        except asyncio.CancelledError:
            if not future.cancelled():
                self.end(account_id)  # the request had been woken already
            raise

    def _wake(self, account_id: str, at_most: int) -> int:
        waiting, woken = self._waiting[account_id], 0
        while waiting and woken < at_most:
            future = waiting.popleft()
            if not future.done():
                future.set_result(None)
                woken += 1
        if not waiting:
            del self._waiting[account_id]
        return woken


class AccountTurn:
    """Turn of one request, held while the context lasts but for pauses."""

    __slots__ = ("_account_id", "_fairness", "_is_held")

    def __init__(self, fairness: AccountFairness, account_id: str) -> None:
        self._fairness = fairness
        self._account_id = account_id
        self._is_held = False

    async def __aenter__(self) -> "AccountTurn":
        await self._take()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.give_back()

    def give_back(self) -> None:
        """Let the next request of the account begin, unless it was let before."""
        if self._is_held:
            self._is_held = False
            self._fairness.end(self._account_id)

    @contextlib.asynccontextmanager
    async def yielded(self) -> AsyncIterator[None]:
        """Give the turn back for something slow, then wait for another one; not after an error."""
        self.give_back()
        yield
        await self._take()

    async def _take(self) -> None:
        await self._fairness.begin(self._account_id)
        self._is_held = True
