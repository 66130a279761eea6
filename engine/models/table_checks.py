"""Checks that the sections of a manifest share."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

MAX_SHOWN = 100
MAX_COUNT = 10_000_000


def strangers(path: str, table: Mapping[str, Any], known: Iterable[str]) -> Iterator[str]:
    """A sentence for each member that is not known."""
    names = tuple(known)
    for key in table:
        if key not in names:
            yield f"{path}.{shown(key)} is unknown; known: {', '.join(names)}"


def shown(key: str) -> str:
    """A member's name as a sentence has it."""
    return key if key.isprintable() and len(key) <= MAX_SHOWN else f"{key[:MAX_SHOWN]!r}"


def is_count(value: object) -> bool:
    """Whether it is a whole number within bounds."""
    return type(value) is int and 1 <= value <= MAX_COUNT
