"""Occurrences of triggers: due times of schedules and events of inbound webhooks.

The record of an occurrence is a short text, `<code of the status>,<at>,<reason>,<count>`, so that
scripts can write it. Its id and its trigger stand in the names of its key and its field.
"""

from enum import StrEnum

from msgspec import Struct

from engine.executions.statuses import CodedStatus
from engine.ids.triggers import occurrence_execution_id

MOST_SKIPPED_EVENTS = 100
"""Newest skipped events of a trigger that are kept."""
MOST_EVENT_BYTES = 65_536
"""Largest body and headers that are kept of an event that started no run."""


class OccurrenceStatus(CodedStatus):
    """Outcome of an occurrence; it never changes."""

    STARTED = "started", "s"
    SKIPPED = "skipped", "k"
    FAILED = "failed", "f"
    """No run could be started."""
    MISSED = "missed", "m"
    """Nothing could run at the due time."""


class SkipReason(StrEnum):
    """Reason of a skipped occurrence."""

    STILL_RUNNING = "still_running"
    RATE_LIMITED = "rate_limited"
    CONDITION_FALSE = "condition_false"


class FailReason(StrEnum):
    """Reason of a failed occurrence."""

    INVALID_INPUTS = "invalid_inputs"
    WORKFLOW_NOT_RUNNABLE = "workflow_not_runnable"
    INSUFFICIENT_CREDITS = "insufficient_credits"
    MAX_CREDITS_EXCEEDED = "max_credits_exceeded"
    ACCOUNT_NOT_APPROVED = "account_not_approved"
    TOO_MANY_ACTIVE = "too_many_active"
    UNAVAILABLE = "unavailable"


OCCURRENCE_STATUSES: dict[str, OccurrenceStatus] = {each.code: each for each in OccurrenceStatus}
"""Statuses by code."""


class Occurrence(Struct, frozen=True, kw_only=True):
    """A due time or an event of a trigger, and its outcome."""

    id: str
    trigger_id: str
    at: int
    """Due time, or that of the event, in milliseconds since the epoch."""
    status: OccurrenceStatus
    reason: str = ""
    """A `SkipReason` or a `FailReason`; empty for other statuses."""
    count: int = 1
    """Number of due times, more than 1 for missed ones that are told together."""

    @property
    def execution_id(self) -> str | None:
        """Execution that it started."""
        is_started = self.status is OccurrenceStatus.STARTED
        return occurrence_execution_id(self.id) if is_started else None


def format_occurrence(occurrence: Occurrence) -> str:
    """Return the text of its record."""
    count = "" if occurrence.count == 1 else str(occurrence.count)
    return f"{occurrence.status.code},{occurrence.at},{occurrence.reason},{count}"


def parse_occurrence(trigger_id: str, occurrence_id: str, record: str) -> Occurrence | None:
    """Return the occurrence of a record; None for a status of a later release.

    Raises ValueError for another text.
    """
    code, at, reason, count, *_ = record.split(",")
    status = OCCURRENCE_STATUSES.get(code)
    if status is None:
        return None
    return Occurrence(
        id=occurrence_id,
        trigger_id=trigger_id,
        at=int(at),
        status=status,
        reason=reason,
        count=int(count or "1"),
    )
