"""Plain values: the JSON on edges, and checks of its limits."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any, overload

MAX_DEPTH = 64
MIN_INTEGER = -(2**63)
MAX_INTEGER = 2**64 - 1
"""Largest integer of msgpack, the encoding of records."""
EPOCH = datetime(1970, 1, 1)
"""In UTC, without the zone: its text is not needed."""
MILLISECOND = timedelta(milliseconds=1)


def fault(value: Any) -> str | None:
    """Return the reason why a value cannot pass an edge, as the end of a sentence, or None."""
    level = [value]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        reason = _level_fault(level, inner)
        if reason or not inner:
            return reason
        level = inner
    return f"is nested more than {MAX_DEPTH} levels deep"


def _level_fault(level: list[Any], inner: list[Any]) -> str | None:
    """Check all items of one depth, and add their members to `inner`."""
    for item in level:
        kind = type(item)
        if kind is list:
            inner.extend(item)
            continue
        if kind is dict:
            inner.extend(item.values())
            reason = _keys_fault(item)
        else:
            reason = _scalar_fault(item, kind)
        if reason:
            return reason
    return None


def _keys_fault(item: dict[Any, Any]) -> str | None:
    if all(isinstance(key, str) and is_text(key) for key in item):
        return None
    return "has an object key that is not a valid text"


def _scalar_fault(item: Any, kind: type) -> str | None:
    if kind is str:
        return None if is_text(item) else "has a text with an unpaired surrogate"
    if kind is int:
        return None if MIN_INTEGER <= item <= MAX_INTEGER else "has an integer over 64 bits"
    if kind is float:
        return None if math.isfinite(item) else "has a number that is not finite"
    if item is None or kind is bool:
        return None
    return f"has a {kind.__name__}, which JSON cannot express"


def is_text(text: str) -> bool:
    """Return True if a text can be encoded as UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def has_nul(value: Any) -> bool:
    """Return True if a text in the value contains NUL."""
    if isinstance(value, dict):
        return any(has_nul(key) or has_nul(member) for key, member in value.items())
    if isinstance(value, list):
        return any(has_nul(member) for member in value)
    return isinstance(value, str) and "\x00" in value


def kind_of(value: Any) -> str:
    """Return the kind of a value, as messages name it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list) else "an object"


@overload
def moment(milliseconds: int) -> str: ...


@overload
def moment(milliseconds: int | None) -> str | None: ...


def moment(milliseconds: int | None) -> str | None:
    """Return a time in the format of the API: ISO 8601, UTC, with milliseconds."""
    if milliseconds is None:
        return None
    at = EPOCH + milliseconds * MILLISECOND
    return f"{at.isoformat('T', 'milliseconds')}Z"


def parse_moment(text: str) -> int | None:
    """Return a time of ISO 8601 with a zone in milliseconds; None for other texts."""
    try:
        at = datetime.fromisoformat(text)
        return (
            (at.astimezone(UTC).replace(tzinfo=None) - EPOCH) // MILLISECOND if at.tzinfo else None
        )
    except (ValueError, OverflowError):
        return None
