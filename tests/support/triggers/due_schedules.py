"""Schedules of a running stack that are due at times of the test's choice."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from engine.executions.statuses import ExecutionStatus
from engine.ids.triggers import new_trigger_id
from engine.settings import Settings
from engine.store import Store
from engine.triggers.occurrences import Occurrence
from engine.triggers.trigger import Missed, ScheduleSettings, Trigger, TriggerSettings
from tests.support.acceptance.callers import make_caller, save
from tests.support.acceptance.running_stack import RunningStack
from tests.support.eventually import eventually

NEVER = "0 0 29 2 *"
"""A cron expression whose time does not come while tests run."""


class Owner:
    """Account of a stack whose schedules are due at times of the test's choice."""

    def __init__(self, store: Store, account_id: str, slug: str) -> None:
        self.store, self.account_id, self.slug = store, account_id, slug

    async def schedule(self, at: int, cron: str = NEVER, missed: Missed = Missed.LAST) -> Trigger:
        """Make a schedule that is due at this time first."""
        schedule = ScheduleSettings(cron=cron, missed=missed, inputs={"who": "Ada"})
        return await self.store.triggers.create(
            self.account_id,
            new_trigger_id(),
            TriggerSettings(name="Digest", slug=self.slug, schedule=schedule),
            enabled=True,
            key_id="",
            since=at - 1,
            next_at=at,
        )

    async def occurrences(self, trigger: Trigger) -> Sequence[Occurrence]:
        """Return all occurrences, oldest first."""
        page = await self.store.occurrences.list(self.account_id, trigger.id, None, 1_000)
        return page.occurrences[::-1]

    async def check_runs(self, started: Sequence[Occurrence]) -> list[float]:
        """Check that these occurrences have the only runs; return the seconds each was late."""
        late = []
        for each in started:
            execution = await eventually(
                partial(self.store.executions.get, self.account_id, each.execution_id or ""),
                lambda found: found.status is ExecutionStatus.COMPLETED,
                timeout=60,
            )
            late.append((execution.created_at - each.at) / 1000)
        rows, _ = await self.store.executions.list(self.account_id, limit=500)
        assert {row.id for row in rows} == {each.execution_id for each in started}
        return late


@asynccontextmanager
async def owner_of(stack: RunningStack, *names: str) -> AsyncIterator[Owner]:
    """Open the store of a stack for a new account, or for one with its workflow."""
    if not names:
        account_id, key = make_caller(stack, "owner")
        names = account_id, save(stack, key, "Greeting")
    store = Store.open(Settings(redis_url=stack.redis_url))
    try:
        yield Owner(store, *names)
    finally:
        await store.close()
