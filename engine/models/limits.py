"""`[limits]`: limits of a provider, which pace calls before the provider refuses them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.models.tables.table_checks import MAX_COUNT, is_count, unknown_members

MEMBERS = ("requests_per_minute", "tokens_per_minute", "concurrency")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLimits:
    """Limits of one credential; None: unknown."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrency: int | None = None
    """Concurrent calls."""


def parse_limits(raw: object, reasons: list[str]) -> ModelLimits:
    """Parse the limits; faults are added to `reasons`."""
    if raw is None:
        return ModelLimits()
    if not isinstance(raw, Mapping):
        reasons.append("limits must be a table, [limits]")
        return ModelLimits()
    faults = list(unknown_members("limits", raw, MEMBERS))
    faults += [
        f"limits.{key} must be a whole number from 1 to {MAX_COUNT}"
        for key in MEMBERS
        if raw.get(key) is not None and not is_count(raw[key])
    ]
    reasons.extend(faults)
    known: dict[str, Any] = {} if faults else dict(raw)
    return ModelLimits(**known)
