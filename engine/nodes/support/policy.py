"""Policies: settings of every node for retries, time limit and failure."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard

from engine.errors.nodes import SettingsError

MAX_ATTEMPTS = 10
MAX_BACKOFF_SECONDS = 60
MAX_TIMEOUT_SECONDS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Attempts, backoff, time limit and effect of a node's failure."""

    attempts: int = 1
    """Number of attempts, including the first."""
    backoff: float = 1.0
    """Seconds before the second attempt; doubled for each further one, at most 60."""
    timeout_seconds: float | None = None
    on_error: Literal["fail", "continue"] = "fail"


def parse_policy(data: Mapping[str, Any]) -> Policy:
    """Read a node's policy. Raises SettingsError with all reasons."""
    reasons = list(_faults(data))
    if reasons:
        raise SettingsError(*reasons)
    retry = data.get("retry") or {}
    return Policy(
        attempts=int(retry.get("attempts", 1)),
        backoff=float(retry.get("backoff", 1.0)),
        timeout_seconds=read_timeout(data),
        on_error="continue" if data.get("onError") == "continue" else "fail",
    )


def reserved_faults(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield faults of settings without effect yet, which cannot be saved.

    Versions saved before this check still run.
    """
    if data.get("cache") not in (None, False):
        yield "cache must be false or left out: results of nodes are not kept yet"


def read_timeout(data: Mapping[str, Any]) -> float | None:
    """Return a node's `timeoutSeconds` if it is valid, or None."""
    seconds = data.get("timeoutSeconds")
    if _is_number(seconds) and 0 < seconds <= MAX_TIMEOUT_SECONDS:
        return float(seconds)
    return None


def _faults(data: Mapping[str, Any]) -> Iterator[str]:
    retry = {} if data.get("retry") is None else data["retry"]
    if isinstance(retry, dict):
        attempts = retry.get("attempts", 1)
        if isinstance(attempts, bool) or attempts not in range(1, MAX_ATTEMPTS + 1):
            yield f"retry.attempts must be a whole number from 1 to {MAX_ATTEMPTS}"
        backoff = retry.get("backoff", 1.0)
        if not _is_number(backoff) or not 0 <= backoff <= MAX_BACKOFF_SECONDS:
            yield f"retry.backoff must be a number of seconds from 0 to {MAX_BACKOFF_SECONDS}"
    else:
        yield "retry must be an object with attempts and backoff"
    if data.get("timeoutSeconds") is not None and read_timeout(data) is None:
        yield f"timeoutSeconds must be a number over 0 and at most {MAX_TIMEOUT_SECONDS}"
    if data.get("onError") not in (None, "fail", "continue"):
        yield "onError must be 'fail' or 'continue'"


def _is_number(value: object) -> TypeGuard[int | float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)
