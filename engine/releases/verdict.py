"""Rule by which a canary is taken back."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct

from engine.releases.aliases import Canary
from engine.releases.run_counts import RunCounts

FAULTS = frozenset({"EXECUTION_FAILED", "INTERNAL_ERROR"})
"""Codes of failed runs that count against a version: other failures are not of its making."""


class RollBackCause(StrEnum):
    """Part of the rule that a canary has broken."""

    ERRORS = "errors"
    DURATION = "duration"


class RollBack(Struct, frozen=True):
    """Verdict that takes a canary back."""

    cause: RollBackCause
    reason: str
    """The cause in words and figures."""


def is_fault(error: Mapping[str, Any] | None) -> bool:
    """Return whether the error of a run counts against its version."""
    return error is not None and error.get("code") in FAULTS


def judge_canary(canary: Canary, counts: RunCounts) -> RollBack | None:
    """Return the verdict on a canary by the counts of its own runs; None: it goes on."""
    runs, rate, p95 = counts.runs, counts.error_rate, counts.quantile_ms(0.95)
    if runs < canary.min_runs or rate is None or p95 is None:
        return None
    if canary.max_error_rate is not None and rate > canary.max_error_rate:
        return RollBack(
            RollBackCause.ERRORS,
            f"{counts.failed} of {runs} runs of version {canary.version} failed "
            f"({_percent(rate)}), and at most {_percent(canary.max_error_rate)} may",
        )
    if canary.max_p95_ms is not None and p95 > canary.max_p95_ms:
        return RollBack(
            RollBackCause.DURATION,
            f"The p95 of {runs} runs of version {canary.version} was {p95:,} ms, and at most "
            f"{canary.max_p95_ms:,} ms are allowed",
        )
    return None


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"
