"""Conversion between JSON and CEL: numbers become doubles, whole doubles integers again."""

import datetime
from typing import Any


def to_doubles(value: Any) -> Any:
    """Return a JSON value with doubles in place of integers."""
    if isinstance(value, dict):
        return {key: to_doubles(member) for key, member in value.items()}
    if isinstance(value, list):
        return [to_doubles(member) for member in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def to_plain(value: Any) -> Any:
    """Convert a CEL value to JSON. Raises ValueError with the end of a sentence."""
    if isinstance(value, dict):
        # The library gives the members in another order each time.
        return {key: to_plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list):
        return [to_plain(member) for member in value]
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**63 else value
    if isinstance(value, bytes | bytearray | datetime.datetime | datetime.timedelta):
        raise ValueError(f"has a {_name(value)}; make it a text with string(…)")
    return value


def _name(value: object) -> str:
    if isinstance(value, datetime.datetime):
        return "timestamp"
    return "duration" if isinstance(value, datetime.timedelta) else "bytes value"
