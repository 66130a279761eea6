"""Hints that are due: retries, unclaimed executions, and attempts at deliveries."""

import time
from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence

from engine.store import Store
from engine.store.dispatch.hints import BULK_QUEUE
from engine.store.dispatch.queue_selector import BULK_FROM
from engine.store.executions.acceptance import RESEND_AFTER_MS
from engine.store.redis import keyspace
from engine.telemetry import metrics
from workers.recovery.clock import RecoveryClock
from workers.recovery.duty import Duty

IDLE_SECONDS = 1.0
"""Interval of the search while no hint is due, now or later."""
BUSY_SECONDS = 5.0
"""For this time after the last scheduled hint, each tick searches."""


class _DueHints(Duty):
    """Sends due hints; rarely while none is scheduled.

    An accepted execution is first due after five seconds, so it is found before that.
    """

    def __init__(self, store: Store, clock: RecoveryClock) -> None:
        self._store = store
        self._clock = clock
        self._busy_until = 0.0

    async def run(self) -> bool:
        """Send a bounded number of hints of each partition. Raises Unavailable."""
        self.interval_seconds = 0.0  # a search that fails is repeated at once
        now = time.monotonic()
        if await self._send():
            self._busy_until = now + BUSY_SECONDS
        self.interval_seconds = 0.0 if now < self._busy_until else IDLE_SECONDS
        return False

    @abstractmethod
    async def _send(self) -> bool:
        """Send the hints that are due; return whether any is scheduled."""


class DueExecutions(_DueHints):
    """Sends the hints of retries that are due, and of executions that nobody has claimed."""

    name = "resend"

    async def _send(self) -> bool:
        # Hints in a long queue are not lost: each is sent again when its turn should have come.
        patience_ms = RESEND_AFTER_MS + await self._store.hints.depth()
        promoted = await self._store.leases.promote(patience_ms, self._clock.redis_ms)
        await send_walk_hints(self._store, promoted.references)
        metrics.HINTS_RESENT.inc(len(promoted.references))
        return promoted.has_more


class DueDeliveries(_DueHints):
    """Sends the hints of deliveries whose next attempt is due."""

    name = "deliver"

    async def _send(self) -> bool:
        promoted = await self._store.deliveries.promote(self._clock.deliveries_ms)
        await self._store.hints.send_deliveries(promoted.references)
        return promoted.has_more


async def send_walk_hints(store: Store, references: Sequence[str]) -> None:
    """Send hints of executions; executions of accounts with many wait behind all others."""
    owners = {each: keyspace.parse_reference(each)[0] for each in references}
    bulk_accounts = await store.executions.find_bulk_accounts(set(owners.values()))
    # Executions that have only waited are not active yet.
    bulk_accounts |= {each for each, count in Counter(owners.values()).items() if count > BULK_FROM}
    bulk = [each for each, owner in owners.items() if owner in bulk_accounts]
    await store.hints.send(bulk, BULK_QUEUE)
    await store.hints.send([each for each in owners if owners[each] not in bulk_accounts])
