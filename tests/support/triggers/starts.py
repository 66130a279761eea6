"""Runs that occurrences of triggers start."""

import asyncio
from typing import Any

from engine.access.tiers import TierTerms
from engine.graph.plan import Plan
from engine.ids.triggers import due_occurrence_id, new_occurrence_id
from engine.store import Accepted, Account, NewOccurrence, OccurrenceRefused, Store, Workflow
from engine.store.redis import keyspace
from engine.store.redis.info import read_now
from engine.store.triggers import keys
from engine.store.triggers.starting import OccurrenceKind
from engine.triggers.trigger import Trigger
from tests.support.store.records import NotAccepted, accept

Saved = tuple[Workflow, Plan]


class Starts:
    """Starts occurrences of triggers of an account, without their checks."""

    def __init__(self, store: Store, account: Account, saved: Saved) -> None:
        self.store = store
        self.account = account
        self.saved = saved
        self.terms: TierTerms = store.tiers.terms(account.tier, account.role)

    async def now(self) -> int:
        return await read_now(self.store.client)

    async def set_next(self, trigger: Trigger, at: int) -> Trigger:
        """Let a schedule be due at a time in milliseconds."""
        key = keys.triggers(self.account.id)
        await self.store.client.send("HSET", key, f"{trigger.id}.next", at)
        await self.store.client.send("ZADD", keys.open_schedules(self.account.id), at, trigger.id)
        return await self.store.triggers.get(self.account.id, trigger.id)

    async def start(
        self, occurrence: NewOccurrence, **options: Any
    ) -> Accepted | OccurrenceRefused:
        """Return the acceptance of the occurrence's run, or the refusal."""
        options = {"source": "trigger", "terms": self.terms, **options}
        try:
            return await accept(
                self.store,
                self.account,
                *self.saved,
                execution_id=occurrence.execution_id,
                occurrence=occurrence,
                **options,
            )
        except NotAccepted as refusal:
            assert isinstance(refusal.verdict, OccurrenceRefused)
            return refusal.verdict

    async def start_due(
        self, trigger: Trigger, next_at: int | None = None, **options: Any
    ) -> Accepted | OccurrenceRefused:
        """Start the next due time of a schedule as it was read."""
        at = trigger.next_at or 0
        occurrence_id = due_occurrence_id(trigger.id, at)
        new = NewOccurrence.of_due_time(trigger, occurrence_id, at, next_at)
        return await self.start(new, **options)

    async def start_event(
        self, trigger: Trigger, digest: str = "", event: bytes = b"", **options: Any
    ) -> Accepted | OccurrenceRefused:
        """Start an event of an inbound webhook."""
        new = NewOccurrence(
            id=new_occurrence_id(),
            trigger_id=trigger.id,
            at=await self.now(),
            kind=OccurrenceKind.EVENT,
            event=event,
            event_digest=digest,
        )
        return await self.start(new, **options)

    async def start_at_once(self, count: int, trigger: Trigger) -> list[object]:
        """Start one due time several times at once."""
        return list(await asyncio.gather(*(self.start_due(trigger) for _ in range(count))))

    async def executions(self) -> int:
        """Return the number of the account's executions that have not ended."""
        return int(await self.store.client.send("SCARD", keyspace.active(self.account.id)))
