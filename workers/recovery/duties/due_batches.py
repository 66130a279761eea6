"""Batches that need a look: new ones, those that nobody feeds, and those that are over."""

import asyncio
import time

from engine.store import Store
from engine.store.redis.info import read_now
from workers.feeding.batch_feeder import BatchFeeder
from workers.recovery.clock import RecoveryClock
from workers.recovery.duty import Duty

IDLE_SECONDS = 0.5
"""Interval of the search while no batch is open."""
BUSY_SECONDS = 5.0
"""For this time after the last open batch, each tick searches."""


class DueBatches(Duty):
    """Feeds a bounded number of batches of each account that needs a look.

    It is what begins a batch, and the net under the workers, which feed a batch whenever one of its
    items ends.
    """

    name = "batches"

    def __init__(self, store: Store, clock: RecoveryClock, feeder: BatchFeeder) -> None:
        self._store = store
        self._clock = clock
        self._feeder = feeder
        self._busy_until = 0.0

    async def run(self) -> bool:
        """Look at a bounded number of accounts of each partition. Raises Unavailable."""
        self.interval_seconds = 0.0  # a search that fails is repeated at once
        feeding = self._store.feeding
        now = self._clock.redis_ms
        if now is None:
            now = await read_now(self._store.client)
        due = await feeding.due_accounts(now)
        await asyncio.gather(*(self._look(account_id, now) for account_id in due.names))
        if feeding.has_open:
            self._busy_until = time.monotonic() + BUSY_SECONDS
        is_busy = time.monotonic() < self._busy_until
        self.interval_seconds = 0.0 if is_busy else IDLE_SECONDS
        return due.has_more

    async def _look(self, account_id: str, now: int) -> None:
        feeding = self._store.feeding
        for batch_id in await feeding.due_batches(account_id, now):
            self._feeder.feed_soon(account_id, batch_id)
        await feeding.schedule_account(account_id, now)
