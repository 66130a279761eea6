"""Verdict on an item of a replay: the earlier execution beside the new one."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from msgspec import Struct

from engine.errors.nodes import REPLAY_UNMATCHED
from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.services.replays.differences import Change, Changes, Same, find_changes
from engine.store.batches.run_lists import ItemVerdict

FORMER_GONE = {"code": "EXECUTION_NOT_FOUND", "message": "The earlier execution is gone"}


class ReplayVerdict(Enum):
    """Verdict on an item, with its code on record."""

    SAME = "same", "s"
    DIFFERENT = "different", "d"
    FAILED = "failed", "f"
    """The new execution failed, or could not begin, and the earlier one completed."""
    UNMATCHED = "unmatched", "u"
    """A node would have made a call of which nothing was recorded."""

    def __init__(self, word: str, code: str) -> None:
        self.word = word
        self.code = code


VERDICTS = {each.code: each for each in ReplayVerdict}


class Outcome(Struct, frozen=True, kw_only=True):
    """End of an execution, as it is compared and shown."""

    status: str
    error: Mapping[str, Any] | None
    credits: int
    duration_ms: int | None
    result: Any = None

    @classmethod
    def of(cls, execution: Execution) -> "Outcome":
        """Return the outcome of an ended execution."""
        return cls(
            status=execution.status.value,
            error=execution.error,
            credits=execution.credits_cost,
            duration_ms=execution.duration_ms,
            result=execution.result,
        )

    @classmethod
    def refused(cls, error: Mapping[str, Any]) -> "Outcome":
        """Return the outcome of an item that could not begin."""
        return cls(status=ExecutionStatus.FAILED.value, error=error, credits=0, duration_ms=None)

    @property
    def is_failed(self) -> bool:
        """Whether it failed."""
        return self.status == ExecutionStatus.FAILED

    @property
    def cause(self) -> Mapping[str, Any]:
        """Members of the error that are compared."""
        error = self.error or {}
        code = error.get("nodeCode") or error.get("code")
        return {"code": code, "nodeId": error.get("nodeId")}

    @property
    def shown(self) -> Mapping[str, Any]:
        """Members that readers see beside the changes."""
        error = self.error
        return {
            "status": self.status,
            "creditsCost": self.credits,
            "durationMs": self.duration_ms,
            "error": error and {name: error[name] for name in SHOWN_ERROR if name in error},
        }


SHOWN_ERROR = ("code", "message", "nodeId", "nodeCode")


def compare(before: Outcome | None, after: Outcome, is_same: Same) -> ItemVerdict:
    """Return the verdict on an item that is over; `before` is None once that is gone."""
    cause = after.cause
    changes, verdict = Changes(), ReplayVerdict.FAILED
    node = None
    if after.is_failed and cause["code"] == REPLAY_UNMATCHED:
        verdict = ReplayVerdict.UNMATCHED
        error = after.error or {}
        node = {"id": cause["nodeId"], "reason": error.get("reason") or error.get("message")}
    elif before is None:
        after = Outcome.refused(FORMER_GONE) if not after.is_failed else after
    elif before.is_failed or not after.is_failed:
        changes = _changes(before, after, is_same)
        verdict = ReplayVerdict.DIFFERENT if changes.shown else ReplayVerdict.SAME
    value = {
        "changes": [[each.path, each.before, each.after] for each in changes.shown],
        "hasMore": changes.has_more,
        "node": node,
        "before": None if before is None else before.shown,
        "after": after.shown,
    }
    return ItemVerdict(verdict.code, value)


def _changes(before: Outcome, after: Outcome, is_same: Same) -> Changes:
    """Return the changes of the status, of the error's cause, or of the result."""
    if before.status != after.status:
        return Changes((Change("status", before.status, after.status),))
    if before.is_failed:
        return find_changes(before.cause, after.cause, "error", is_same)
    return find_changes(before.result, after.result, "result", is_same)
