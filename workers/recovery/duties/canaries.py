"""Canaries of which runs have ended: those that break their rule are taken back."""

import asyncio

from engine.services.releases.roll_backs import look_at_canaries
from engine.store import Store
from engine.store.schema import RELEASES_SCHEMA
from workers.recovery.clock import RecoveryClock
from workers.recovery.duties.due_feeds import DueLooks
from workers.recovery.duty import attempt


class DueCanaries(DueLooks):
    """Looks at a bounded number of workflows of each account whose canaries have had runs."""

    name = "canaries"

    def __init__(self, store: Store, clock: RecoveryClock) -> None:
        super().__init__(store, store.canaries.due, clock)

    async def run(self) -> bool:
        """See `DueLooks.run`. Before the schema of releases there is no canary."""
        if not self._store.schema.allows(RELEASES_SCHEMA):
            return False
        return await super().run()

    async def _look(self, account_id: str, now: int) -> None:
        slugs = await self._store.canaries.take(account_id, now)
        # A workflow that cannot be judged must stop no other.
        looks = (look_at_canaries(self._store, account_id, each, now) for each in slugs)
        await asyncio.gather(*(attempt(self.name, each) for each in looks))
        await self._due.schedule_account(account_id, now)
