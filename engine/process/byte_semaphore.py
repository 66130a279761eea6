"""Semaphore counted in bytes: bounds the memory that large values of one process take together."""

import asyncio
from collections import deque


class ByteSemaphore:
    """Up to `limit` bytes are held at once; further callers wait, first come first served."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.available = limit
        """Bytes that nobody holds; negative while holders have more than they waited for."""
        self._waiters: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def acquire(self, size: int, seconds: float) -> None:
        """Take `size` bytes, `limit` at most. Raises TimeoutError when they do not get free."""
        if not self._waiters and size <= self.available:
            self.available -= size
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiters.append((size, turn))
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException:
            self._withdraw(size, turn)
            raise

    def release(self, size: int) -> None:
        """Return `size` bytes. A negative size takes more without waiting."""
        self.available += size
        self._wake_waiters()

    def _withdraw(self, size: int, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():
            self.release(size)  # the turn came just when the caller gave up
        else:
            self._waiters.remove((size, turn))
            self._wake_waiters()

    def _wake_waiters(self) -> None:
        while self._waiters and self._waiters[0][0] <= self.available:
            if self._waiters[0][1].cancelled():
                return  # its caller removes it in a moment
            size, turn = self._waiters.popleft()
            self.available -= size
            turn.set_result(None)


class ByteReservation:
    """The bytes that one holder has of a semaphore, none at first."""

    def __init__(self, semaphore: ByteSemaphore) -> None:
        self._semaphore = semaphore
        self._size = 0

    @property
    def limit(self) -> int:
        """Limit of the semaphore."""
        return self._semaphore.limit

    async def acquire(self, size: int, seconds: float) -> None:
        """Return the bytes held before, then wait for `size`. Raises TimeoutError."""
        self.release()
        await self._semaphore.acquire(size, seconds)
        self._size = size

    def resize(self, size: int) -> None:
        """Hold `size` bytes from now on, without waiting: the true size is known now."""
        self._semaphore.release(self._size - size)
        self._size = size

    def release(self) -> None:
        """Hold nothing."""
        self.resize(0)
