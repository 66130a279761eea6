"""Checks shared by the tables of a manifest."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

MAX_SHOWN = 100
MAX_COUNT = 10_000_000


def unknown_members(path: str, table: Mapping[str, Any], known: Iterable[str]) -> Iterator[str]:
    """Yield a message for each unknown member."""
    names = tuple(known)
    for key in table:
        if key not in names:
            yield f"{path}.{display_name(key)} is unknown; known: {', '.join(names)}"


def display_name(key: str) -> str:
    """Return the name of a member for a message, shortened and printable."""
    return key if key.isprintable() and len(key) <= MAX_SHOWN else f"{key[:MAX_SHOWN]!r}"


def is_count(value: object) -> bool:
    """Return True for a whole number from 1 to `MAX_COUNT`."""
    return type(value) is int and 1 <= value <= MAX_COUNT
