"""Batches, groups of children and schedules that need a look."""

import asyncio
import time
from abc import abstractmethod

from engine.store import Store
from engine.store.partitioned.due_lists import DueLists
from engine.store.redis.info import read_now
from workers.feeding.feeder import Feeder
from workers.recovery.clock import RecoveryClock
from workers.recovery.duty import Duty

IDLE_SECONDS = 0.5
"""Interval of the search while no list is open."""
SOON_MS = 1_000
"""Time before the first due time of a schedule from which on each tick searches."""
BUSY_SECONDS = 5.0
"""For this time after the last open list, each tick searches."""


class DueLooks(Duty):
    """Looks at lists of accounts; a bounded number of accounts is taken at once."""

    def __init__(self, store: Store, due: DueLists, clock: RecoveryClock) -> None:
        self._store = store
        self._due = due
        self._clock = clock
        self._busy_until = 0.0

    async def run(self) -> bool:
        """Look at a bounded number of accounts of each partition. Raises Unavailable."""
        self.interval_seconds = 0.0  # a search that fails is repeated at once
        now = self._clock.redis_ms
        if now is None:
            now = await read_now(self._store.client)
        due = await self._due.due_accounts(now)
        await asyncio.gather(*(self._look(account_id, now) for account_id in due.names))
        if self._due.has_open:
            self._busy_until = time.monotonic() + BUSY_SECONDS
        is_busy = time.monotonic() < self._busy_until
        self.interval_seconds = 0.0 if is_busy else IDLE_SECONDS
        return due.has_more

    @abstractmethod
    async def _look(self, account_id: str, now: int) -> None:
        """Look at a bounded number of lists of an account, and schedule its next look."""


class DueFeeds(DueLooks):
    """Feeds a bounded number of lists of each account that needs a look.

    It is the net under the workers, which feed a list whenever one of its items ends.
    """

    def __init__(self, store: Store, due: DueLists, clock: RecoveryClock, feeder: Feeder) -> None:
        super().__init__(store, due, clock)
        self._feeder = feeder

    async def _look(self, account_id: str, now: int) -> None:
        for name in await self._due.due_lists(account_id, now):
            self._feeder.feed_soon(account_id, name)
        await self._due.schedule_account(account_id, now)


class DueBatches(DueFeeds):
    """Begins each batch, and settles those that are over."""

    name = "batches"


class DueChildren(DueFeeds):
    """Begins groups that no worker has begun to feed, and ends those whose parent has ended."""

    name = "children"


class DueSchedules(DueFeeds):
    """Begins the due times of schedules. Each tick searches when one comes soon, and else few."""

    name = "schedules"

    async def run(self) -> bool:
        """See `DueFeeds.run`."""
        has_more = await super().run()
        now, first = self._clock.redis_ms, self._due.next_look
        is_soon = now is None or (first is not None and first <= now + SOON_MS)
        self.interval_seconds = 0.0 if is_soon else IDLE_SECONDS
        return has_more
