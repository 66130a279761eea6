"""Terms of the tiers: `tiers.toml`, overridden by the operator's file."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from importlib import resources
from pathlib import Path
from typing import Any

from engine.access.capabilities import EVERYTHING, RESOURCES, Role, Tier
from engine.settings import PREFIX, SettingError

UNLIMITED = "unlimited"
VARIABLE = PREFIX + "TIERS_FILE"
RETENTION = "retentionDays"
MAX_DAYS = 36_500
MAX_ALLOWANCE = 10**12
"""Leaves room for bought credits below the largest exact integer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TierTerms:
    """Limits and prices of an account."""

    tier: Tier
    allowance: int
    """Credits, each month."""
    allowance_once: bool
    """The allowance is granted once instead of monthly."""
    runs_per_minute: int | None
    """Calls of one run route in a 60-second window; None: unlimited."""
    executions_at_once: int | None
    """Concurrent executions; None: unlimited."""
    outbound_calls_per_minute: int | None
    """Calls that `httpRequest` nodes make in a 60-second window; None: unlimited."""
    outbound_calls_per_host: int | None
    """The same, to one host; None: unlimited."""
    outbound_bytes_per_minute: int | None
    """Bytes of the bodies of these calls and their answers; None: unlimited."""
    uploads_per_minute: int | None
    """Uploads in a 60-second window; None: unlimited."""
    media_bytes: int | None
    """Total size of the account's media; None: unlimited."""
    saves_per_minute: int | None
    """Workflows saved in a 60-second window; None: unlimited."""
    draft_writes_per_minute: int | None
    """Drafts written in a 60-second window; None: unlimited."""
    checks_per_minute: int | None
    """Graphs checked in a 60-second window, large ones counted several times; None: unlimited."""
    expression_trials_per_minute: int | None
    """Expressions tried in a 60-second window; None: unlimited."""
    workflows: int | None
    """Workflows of the account; None: unlimited."""
    document_bytes: int | None
    """Total size of the documents of stored versions and drafts; None: unlimited."""
    markup: Decimal
    """Factor on the price of a provider."""
    trials: bool
    """Models with a trial are free within it, and cannot be paid for."""
    retention_days: float | None = None
    """Retention of what has ended; None: the installation's."""
    ceiling: frozenset[str]
    """Resources of allowed capabilities, or `*`; see `engine.access.capabilities`."""


@dataclass(frozen=True, slots=True)
class Tiers:
    """The terms of every tier."""

    by_tier: Mapping[Tier, TierTerms]

    def terms(self, tier: Tier, role: Role) -> TierTerms:
        """Return the terms of an account with this tier and role."""
        terms = self.by_tier[tier]
        if role is not Role.ADMIN:
            return terms
        return replace(
            terms,
            runs_per_minute=None,
            executions_at_once=None,
            outbound_calls_per_minute=None,
            outbound_calls_per_host=None,
            outbound_bytes_per_minute=None,
            uploads_per_minute=None,
            media_bytes=None,
            saves_per_minute=None,
            draft_writes_per_minute=None,
            checks_per_minute=None,
            expression_trials_per_minute=None,
            workflows=None,
            document_bytes=None,
            trials=False,
            ceiling=frozenset({EVERYTHING}),
        )


def load(path: str = "") -> Tiers:
    """Load the tiers and the overrides of the file at `path`. Raises SettingError."""
    text = resources.files("engine.access").joinpath("tiers.toml").read_text(encoding="utf-8")
    tables: dict[str, dict[str, Any]] = tomllib.loads(text)
    if path:
        _overlay(tables, path)
    return Tiers({Tier(name): _terms(Tier(name), table) for name, table in tables.items()})


def _overlay(tables: dict[str, dict[str, Any]], path: str) -> None:
    try:
        changes = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        for name, table in changes.items():
            _check_table(tables, name, table)
            tables[name] |= table
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SettingError(f"{VARIABLE}: {path}: {reason}") from None


def _check_table(tables: Mapping[str, Any], name: str, table: object) -> None:
    if name not in tables:
        raise ValueError(f"there is no tier {name!r}; the tiers are {', '.join(tables)}")
    if not isinstance(table, dict):
        raise ValueError(f"{name}: a tier is a table, [{name}]")
    for member, value in table.items():
        parsers = _PARSERS | _OPTIONAL_PARSERS
        if member not in parsers:
            raise ValueError(f"{name}: there is no {member!r}; a tier has {', '.join(parsers)}")
        try:
            parsers[member](value)
        except ValueError as error:
            raise ValueError(f"{name}.{member}: {error}") from None


def _terms(tier: Tier, table: Mapping[str, Any]) -> TierTerms:
    return TierTerms(
        tier=tier,
        **{member: parse(table[member]) for member, parse in _PARSERS.items()},
        retention_days=_parse_days(table.get(RETENTION)),
    )


def _parse_credits(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MAX_ALLOWANCE:
        raise ValueError(f"{value!r} is not a whole number from 0 to {MAX_ALLOWANCE}")
    return value


def _parse_limit(value: object) -> int | None:
    if value == UNLIMITED:
        return None
    if type(value) is not int or value < 1:
        raise ValueError(f"{value!r} is neither a whole number from 1 on nor {UNLIMITED!r}")
    return value


def _parse_flag(value: object) -> bool:
    if type(value) is not bool:
        raise ValueError(f"{value!r} is neither true nor false")
    return value


def _parse_days(value: object) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < MAX_DAYS:
        raise ValueError(f"{value!r} is not a number of days above 0")
    return float(value)


def _parse_markup(value: object) -> Decimal:
    try:
        markup = Decimal(value) if isinstance(value, str) else Decimal("nan")
    except InvalidOperation:
        markup = Decimal("nan")
    if not markup.is_finite() or markup < 0:
        raise ValueError(f"{value!r} is not a number in quotes, zero or more")
    return markup


def _parse_ceiling(value: object) -> frozenset[str]:
    if not isinstance(value, list) or any(each not in RESOURCES for each in value):
        raise ValueError(f"{value!r} is not a list of {', '.join(sorted(RESOURCES))}")
    return frozenset(value)


_PARSERS: dict[str, Callable[[object], Any]] = {
    "allowance": _parse_credits,
    "allowance_once": _parse_flag,
    "runs_per_minute": _parse_limit,
    "executions_at_once": _parse_limit,
    "outbound_calls_per_minute": _parse_limit,
    "outbound_calls_per_host": _parse_limit,
    "outbound_bytes_per_minute": _parse_limit,
    "uploads_per_minute": _parse_limit,
    "media_bytes": _parse_limit,
    "saves_per_minute": _parse_limit,
    "draft_writes_per_minute": _parse_limit,
    "checks_per_minute": _parse_limit,
    "expression_trials_per_minute": _parse_limit,
    "workflows": _parse_limit,
    "document_bytes": _parse_limit,
    "markup": _parse_markup,
    "trials": _parse_flag,
    "ceiling": _parse_ceiling,
}
_OPTIONAL_PARSERS: dict[str, Callable[[object], Any]] = {RETENTION: _parse_days}
