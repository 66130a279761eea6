"""Saves of triggers: new ones, and changes beside processes that begin their due times."""

from collections.abc import Awaitable, Callable

from msgspec import Struct

from engine.errors import Unavailable
from engine.services.triggers.trigger_checks import TriggerChecks, check_schema
from engine.store import ReplaceRefusal, Store
from engine.triggers.cron import parse_cron
from engine.triggers.occurrences import Occurrence
from engine.triggers.trigger import Trigger, TriggerSettings

MAX_STALE = 50
"""Attempts at a trigger that is being saved concurrently: each that fails lets another succeed."""

Change = Callable[[Trigger], Awaitable[tuple[TriggerSettings, bool]]]
"""Returns the settings and `enabled` that a trigger shall have. Raises EngineError."""


class TriggerSaves(Struct, frozen=True, kw_only=True):
    """Creates and changes triggers."""

    store: Store
    checks: TriggerChecks
    begin_due: Callable[[Trigger], Awaitable[None]]
    """Begins the due times of a schedule that have come, with the settings that it has."""

    async def create(
        self,
        account_id: str,
        settings: TriggerSettings,
        *,
        enabled: bool,
        key_id: str,
        trigger_id: str,
    ) -> Trigger:
        """Check the settings and create a trigger; `key_id` is empty for a session, the id is new.

        Raises Unavailable while the store's schema is old, and what `TriggerChecks.check` and
        `Triggers.create` raise.
        """
        check_schema(self.store)
        await self.checks.check(account_id, trigger_id, settings)
        since, next_at = await self._times(settings, enabled=enabled)
        return await self.store.triggers.create(
            account_id,
            trigger_id,
            settings,
            enabled=enabled,
            key_id=key_id,
            since=since,
            next_at=next_at,
            by=account_id,
        )

    async def change(self, trigger: Trigger, change: Change) -> Trigger:
        """Change a trigger; due times that have come begin before, with its former settings.

        Where it is saved concurrently, the change is made anew. Raises Unavailable, and what
        `TriggerChecks.check`, `Triggers.replace` and the change raise.
        """
        account_id, triggers = trigger.account_id, self.store.triggers
        for attempt in range(MAX_STALE):
            if attempt:
                trigger = await triggers.get(account_id, trigger.id)
            settings, enabled = await change(trigger)
            await self.checks.check(account_id, trigger.id, settings, trigger.settings)
            times = await self._times(settings, enabled=enabled, last=trigger.last)
            if trigger.enabled and trigger.next_at is not None and trigger.next_at <= times[0]:
                await self.begin_due(trigger)
                trigger = await triggers.get(account_id, trigger.id)
            if enabled == trigger.enabled and settings.due_times == trigger.settings.due_times:
                times = trigger.since, trigger.next_at
            replaced = await triggers.replace(
                trigger, settings, enabled=enabled, since=times[0], next_at=times[1], by=account_id
            )
            if isinstance(replaced, Trigger):
                return replaced
            if replaced is ReplaceRefusal.DUE:
                await self.begin_due(trigger)
        raise Unavailable("The trigger is being changed by others: try it again")

    async def _times(
        self, settings: TriggerSettings, *, enabled: bool, last: Occurrence | None = None
    ) -> tuple[int, int | None]:
        """Return Redis's time, and the first due time of an enabled schedule after it.

        A clock that was set back is no reason to give a due time twice: both are later than the
        last occurrence.
        """
        now_ms = max(await self.store.leases.now(), 0 if last is None else last.at)
        schedule = settings.schedule
        if schedule is None or not enabled:
            return now_ms, None
        following = parse_cron(schedule.cron, schedule.timezone).after(now_ms, 1)
        return now_ms, following[0] if following else None
