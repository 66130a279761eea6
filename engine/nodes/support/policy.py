"""Policies: settings of every node for retries, time limit and failure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.errors.nodes import SettingFault
from engine.nodes.support.settings import (
    Faults,
    Setting,
    as_it_is,
    choice,
    is_number,
    read_all,
    reader,
)

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
    on_error: Literal["fail", "continue", "fallback"] = "fail"
    fallback: Mapping[str, Any] = field(default_factory=dict)
    """Outputs after a failure, by socket, with `on_error` "fallback"."""


def parse_policy(data: Mapping[str, Any], *, takes_timeout: bool = True) -> Policy:
    """Read a node's policy. Raises SettingsError with all reasons.

    `takes_timeout`: the node's type gives `timeoutSeconds` no meaning of its own.
    """
    faults = Faults()
    members = (RETRY, TIMEOUT, ON_ERROR) if takes_timeout else (RETRY, ON_ERROR)
    given = read_all(members, data, faults)
    # Elsewhere a member of this name may be the value of a model's field, as in release 0.1.0.
    given["fallback"] = FALLBACK.read(data, faults) if uses_fallback(data) else {}
    faults.finish()
    retry = given["retry"]
    return Policy(
        attempts=int(retry.get("attempts", 1)),
        backoff=float(retry.get("backoff", 1.0)),
        timeout_seconds=given.get(TIMEOUT.name),
        on_error=given["onError"],
        fallback=given["fallback"],
    )


def uses_fallback(data: Mapping[str, Any]) -> bool:
    """Return whether the member `fallback` holds a node's outputs after a failure."""
    return bool(data.get(ON_ERROR.name) == "fallback")


def reserved_faults(data: Mapping[str, Any]) -> Iterator[SettingFault]:
    """Yield faults of settings without effect, or without effect yet, which cannot be saved.

    Versions saved before this check still run.
    """
    if data.get("cache") is not None and data["cache"] is not False:
        reason = "cache must be false or left out: results of nodes are not kept yet"
        yield SettingFault(reason, "cache")
    if not uses_fallback(data):
        faults = Faults()
        FALLBACK.read(data, faults)
        yield from faults.found


def read_timeout(data: Mapping[str, Any]) -> float | None:
    """Return a node's `timeoutSeconds` if it is valid, or None."""
    seconds: float | None = TIMEOUT.read(data, Faults())
    return seconds


def _read_retry(raw: object, path: str, faults: Faults) -> Mapping[str, Any] | None:
    if not isinstance(raw, dict):
        faults.add(path, "must be an object with attempts and backoff")
        return None
    attempts = raw.get("attempts", 1)
    if isinstance(attempts, bool) or attempts not in range(1, MAX_ATTEMPTS + 1):
        faults.add(f"{path}.attempts", f"must be a whole number from 1 to {MAX_ATTEMPTS}")
    backoff = raw.get("backoff", 1.0)
    if not is_number(backoff) or not 0 <= backoff <= MAX_BACKOFF_SECONDS:
        words = f"must be a number of seconds from 0 to {MAX_BACKOFF_SECONDS}"
        faults.add(f"{path}.backoff", words)
    return raw


def _accept_seconds(raw: object) -> float | None:
    return float(raw) if is_number(raw) and 0 < raw <= MAX_TIMEOUT_SECONDS else None


RETRY = Setting(
    name="retry",
    about="Number of attempts, and the seconds before the second one.",
    widget="retry",
    value={
        "type": "object",
        "properties": {
            "attempts": {"type": "integer", "minimum": 1, "maximum": MAX_ATTEMPTS, "default": 1},
            "backoff": {
                "type": "number",
                "minimum": 0,
                "maximum": MAX_BACKOFF_SECONDS,
                "default": 1,
            },
        },
    },
    parse=_read_retry,
    fallback={},
)
TIMEOUT = Setting(
    name="timeoutSeconds",
    about="Time limit of a call of the node, in seconds.",
    widget="number",
    value={"type": "number", "exclusiveMinimum": 0, "maximum": MAX_TIMEOUT_SECONDS},
    parse=reader(_accept_seconds, f"must be a number over 0 and at most {MAX_TIMEOUT_SECONDS}"),
)
ON_ERROR = choice(
    "onError",
    "Effect of the node's failure on the run.",
    ("fail", "continue", "fallback"),
    default="fail",
    words="must be 'fail', 'continue' or 'fallback'",
)
FALLBACK = Setting(
    name="fallback",
    about="Outputs after a failure, by socket, with onError fallback; the others are null.",
    widget="fallback",
    value={"type": "object"},
    parse=reader(
        lambda raw: raw if isinstance(raw, dict) else None,
        "must be an object with a value per output socket",
    ),
    fallback={},
    since_schema=2,
)
CACHE = Setting(
    name="cache",
    about="Reserved; must be false.",
    widget="hidden",
    value={"enum": [False]},
    parse=as_it_is,
    default=False,
)
POLICY = (RETRY, TIMEOUT, ON_ERROR, FALLBACK)
