"""Semaphore counted in bytes, which bounds the memory of the large values of a process."""

import asyncio
from collections import deque


class ByteSemaphore:
    """Semaphore over `limit` bytes; callers wait in order of arrival."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.available = limit
        """Free bytes; negative while callers have taken more than they waited for."""
        self._waiters: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def acquire(self, size: int, seconds: float) -> None:
        """Take `size` bytes, at most `limit`. Raises TimeoutError after `seconds`."""
        if not self._waiters and size <= self.available:
            self.available -= size
            return
        granted = asyncio.get_running_loop().create_future()
        self._waiters.append((size, granted))
        try:
            async with asyncio.timeout(seconds):
                await granted
        except BaseException:
            self._withdraw(size, granted)
            raise

    def release(self, size: int) -> None:
        """Return `size` bytes. A negative size takes more without waiting."""
        self.available += size
        self._wake_waiters()

    def _withdraw(self, size: int, granted: asyncio.Future[None]) -> None:
        if granted.done() and not granted.cancelled():
            self.release(size)  # granted in the moment in which the caller gave up
        else:
            self._waiters.remove((size, granted))
            self._wake_waiters()

    def _wake_waiters(self) -> None:
        while self._waiters and self._waiters[0][0] <= self.available:
            if self._waiters[0][1].cancelled():
                return  # its own `acquire` removes it
            size, granted = self._waiters.popleft()
            self.available -= size
            granted.set_result(None)


class ByteReservation:
    """Bytes of a semaphore that belong to one caller; none at first."""

    def __init__(self, semaphore: ByteSemaphore) -> None:
        self._semaphore = semaphore
        self._size = 0

    @property
    def limit(self) -> int:
        """Limit of the semaphore."""
        return self._semaphore.limit

    async def acquire(self, size: int, seconds: float) -> None:
        """Release the present bytes, then wait for `size`. Raises TimeoutError."""
        self.release()
        await self._semaphore.acquire(size, seconds)
        self._size = size

    def resize(self, size: int) -> None:
        """Set the reservation to the true size, without waiting."""
        self._semaphore.release(self._size - size)
        self._size = size

    def release(self) -> None:
        """Return all bytes."""
        self.resize(0)
