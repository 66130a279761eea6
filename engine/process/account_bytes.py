"""Bytes of a process that accounts share: each has a quarter of them at most."""

from collections import Counter

from engine.process.byte_semaphore import ByteReservation, ByteSemaphore

SHARES = 4
"""An account may have a quarter, so that its slow callers do not keep those of others out."""


class AccountBytes:
    """Semaphore of `limit` bytes, of which one account takes at most its share."""

    def __init__(self, limit: int) -> None:
        self._all = ByteSemaphore(limit)
        self._shares: dict[str, ByteSemaphore] = {}
        self._users: Counter[str] = Counter()

    async def reserve(self, account_id: str, size: int, seconds: float) -> "ReservedBytes":
        """Reserve bytes, a share at most. Raises TimeoutError after twice `seconds`."""
        share = self._enter(account_id)
        own, common = ByteReservation(share), ByteReservation(self._all)
        size = min(size, share.limit)
        try:
            await own.acquire(size, seconds)
            await common.acquire(size, seconds)
        except BaseException:
            own.release()
            self.leave(account_id)
            raise
        return ReservedBytes(self, account_id, (own, common))

    def leave(self, account_id: str) -> None:
        """Forget the share of an account whose last user has left."""
        self._users[account_id] -= 1
        if not self._users[account_id]:
            del self._users[account_id], self._shares[account_id]

    def _enter(self, account_id: str) -> ByteSemaphore:
        self._users[account_id] += 1
        if account_id not in self._shares:
            self._shares[account_id] = ByteSemaphore(self._all.limit // SHARES)
        return self._shares[account_id]


class ReservedBytes:
    """Bytes that belong to one caller of an account until `release`."""

    def __init__(
        self, source: AccountBytes, account_id: str, reservations: tuple[ByteReservation, ...]
    ) -> None:
        self._source = source
        self._account_id = account_id
        self._reservations = reservations

    def resize(self, size: int) -> None:
        """Set them to the true size, without waiting."""
        for reservation in self._reservations:
            reservation.resize(size)

    def release(self) -> None:
        """Return all of them, once."""
        self.resize(0)
        self._source.leave(self._account_id)
