"""Lease of a gateway process on the waits of its callers."""

import asyncio
import contextlib
import math
import time

from engine.errors import EngineError, Unavailable
from engine.store import Store

LEASES_OF_WORKER = 5
"""Length of the lease, as a multiple of a worker's: a gateway that is taken for dead too early
cannot answer its callers."""
RENEWALS = 15
"""Renewals in the time of one lease."""
MARGIN = 0.1
"""Part of the lease by which it is over for the gateway earlier than for sweepers."""


class WaitLease:
    """Lets a sweeper end the waits of this process once it has died.

    After an interruption a sweeper may have ended waits that had begun before.
    """

    def __init__(self, store: Store, channel: str, worker_lease_seconds: float) -> None:
        self._leases = store.gateway_leases
        self._channel = channel
        self._seconds = LEASES_OF_WORKER * worker_lease_seconds
        self._ends = math.inf
        """Time at which the lease ends without a renewal; times are of `time.perf_counter`."""
        self._unbroken_since = -math.inf
        self.is_kept = False
        """Whether the lease is not given back when the process stops, since a wait is left."""

    def covers(self, began: float) -> bool:
        """Return whether nobody else can have ended a wait that began at this time."""
        return self._unbroken_since <= began and time.perf_counter() < self._ends

    async def renew_periodically(self) -> None:
        """Renew the lease until cancelled."""
        while True:
            with contextlib.suppress(Unavailable):
                await self.renew()
            await asyncio.sleep(self._seconds / RENEWALS)

    async def renew(self) -> None:
        """Begin or renew the lease. Raises Unavailable."""
        ends = time.perf_counter() + self._seconds * (1 - MARGIN)
        if self._ends == math.inf:
            self._ends = ends  # even if the reply is lost
        await self._leases.renew(self._channel, int(self._seconds * 1000))
        now = time.perf_counter()
        if now >= self._ends:
            self._unbroken_since = now
        self._ends = ends

    async def resign(self) -> None:
        """Give the lease back, unless a wait is left for a sweeper to end."""
        if not self.is_kept:
            with contextlib.suppress(EngineError):
                await self._leases.resign(self._channel)
