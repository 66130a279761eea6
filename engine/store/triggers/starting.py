"""Occurrences that start a run: their part of the acceptance of its execution."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Self

from msgspec import Struct

from engine.access.tiers import TierTerms
from engine.ids.partitions import partition_of
from engine.ids.triggers import occurrence_execution_id
from engine.store.accounts.rate_limits import Window, parse_window
from engine.store.executions.record_fields import parse_name
from engine.store.redis.connection import Argument
from engine.store.triggers import keys
from engine.store.waits.keys import waited
from engine.triggers.occurrences import OccurrenceStatus
from engine.triggers.trigger import Overlap, Trigger

EVENT_MS = 86_400_000
"""Time for which the id of an event is known that has started a run."""


class OccurrenceKind(StrEnum):
    """Cause of an occurrence that starts a run."""

    DUE_TIME = "d"
    EVENT = "e"
    BY_HAND = "h"


class NewOccurrence(Struct, frozen=True, kw_only=True):
    """Occurrence that starts with a run, whose id is `execution_id`."""

    id: str
    trigger_id: str
    at: int
    """Due time, or that of the event or the start by hand, in milliseconds since the epoch."""
    kind: OccurrenceKind
    revision: int | None = None
    """Revision of the trigger that it must still have; None: any."""
    next_at: int | None = None
    """Next due time of a schedule; None: no further one."""
    overlap: Overlap = Overlap.ALLOW
    event: bytes = b""
    """Packed event, or the name of the object with it; empty: none."""
    event_digest: str = ""
    """SHA-256 of the event's id in hex; empty: it has none."""

    @classmethod
    def of_due_time(
        cls, trigger: Trigger, occurrence_id: str, at: int, next_at: int | None
    ) -> Self:
        """Return the occurrence of the next due time of a schedule, as it was read."""
        schedule = trigger.settings.schedule
        return cls(
            id=occurrence_id,
            trigger_id=trigger.id,
            at=at,
            kind=OccurrenceKind.DUE_TIME,
            revision=trigger.revision,
            next_at=next_at,
            overlap=Overlap.ALLOW if schedule is None else schedule.overlap,
        )

    @property
    def execution_id(self) -> str:
        """Id of the execution that it starts."""
        return occurrence_execution_id(self.id)

    @property
    def record_fields(self) -> dict[str, Argument]:
        """Fields of the execution's record."""
        fields: dict[str, Argument] = {"trigger": self.trigger_id, "occurrence": self.id}
        if self.event:
            fields["event"] = self.event
        if parse_name(self.event) is not None:
            fields["has_objects"] = "1"
        return fields

    @property
    def argument(self) -> str:
        """Argument of the script that accepts the execution."""
        revision = "" if self.revision is None else self.revision
        next_at = "" if self.next_at is None else self.next_at
        skips = "1" if self.overlap is Overlap.SKIP else ""
        words = (self.trigger_id, self.id, self.at, self.kind, revision, next_at, skips)
        return ",".join(map(str, words))

    def names(self, account_id: str) -> dict[str, Any]:
        """Return its keys and arguments by their names in the script."""
        partition, digest = partition_of(account_id), self.event_digest
        is_due = self.kind is OccurrenceKind.DUE_TIME
        started = OccurrenceStatus.STARTED.code
        return {
            "triggers": keys.triggers(account_id),
            "occurrences": keys.occurrences(account_id, self.trigger_id),
            "started": keys.occurrences_by_time(account_id, self.trigger_id, started),
            "unarchived_occurrences": keys.unarchived_occurrences(partition),
            "event": keys.event(account_id, self.trigger_id, digest) if digest else None,
            "open_schedules": keys.open_schedules(account_id) if is_due else None,
            "schedules_due": keys.schedules_due(partition) if is_due else None,
            "waited": waited(account_id),
            "occurrence": self.argument,
            "event_ms": EVENT_MS if digest else None,
        }


class OccurrenceRefused(Struct, frozen=True, kw_only=True):
    """The occurrence cannot start now, or has been recorded before."""

    reason: str
    """`changed` for another revision, a trigger that is disabled or gone, or a due time that has
    its occurrence; `still_running`, `rate_limited`, or `repeated` for a known event."""
    window: Window | None = None
    """Window of runs that is full, for `rate_limited`."""
    execution_id: str = ""
    """Execution that the event has started, for `repeated`."""


CHANGED = OccurrenceRefused(reason="changed")


def parse_refusal(terms: TierTerms | None, verdict: Sequence[Any]) -> OccurrenceRefused | None:
    """Return the refusal of a script's verdict, None for another one."""
    match verdict:
        case [b"changed"]:
            return CHANGED
        case [b"still_running"]:
            return OccurrenceRefused(reason="still_running")
        case [b"known", execution_id]:
            return OccurrenceRefused(reason="repeated", execution_id=execution_id.decode())
        case [b"over_rate", calls, ends, now] if terms is not None:
            limit = terms.runs_per_minute or 0
            window = parse_window([limit, calls + 1, ends, now])
            return OccurrenceRefused(reason="rate_limited", window=window)
    return None
