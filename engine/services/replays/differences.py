"""Differences between two values of JSON, by path."""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from typing import Any

from msgspec import Struct

MOST_CHANGES = 50
MOST_CHARACTERS = 2_000
"""Characters of a shown value; longer ones are cut."""
MOST_OF_ALL = 32_000
"""Characters of all shown values together, after which no further change is shown."""
CUT = "…"

Same = Callable[[Any, Any], bool]
"""Tells whether two different values stand for the same, such as two links to one asset."""
Pair = tuple[str, Any, Any]
"""Path of two values, and both."""


class Change(Struct, frozen=True):
    """Two values at one place; None where there is none."""

    path: str
    before: Any
    after: Any


class Changes(Struct, frozen=True):
    """The first changes, and whether there are others."""

    shown: tuple[Change, ...] = ()
    has_more: bool = False


def find_changes(before: Any, after: Any, path: str, is_same: Same) -> Changes:
    """Return the differences of two values in the order of the members; `path` is their place."""
    shown: list[Change] = []
    size = 0
    for change in _walk(before, after, path, is_same):
        if len(shown) == MOST_CHANGES or size > MOST_OF_ALL:
            return Changes(tuple(shown), has_more=True)
        cut = Change(change.path, _cut(change.before), _cut(change.after))
        size += sum(len(_text(each)) for each in (cut.before, cut.after))
        shown.append(cut)
    return Changes(tuple(shown))


def _walk(before: Any, after: Any, path: str, is_same: Same) -> Iterator[Change]:
    """Yield the changes; only the members of the values on the way are held, each as it comes."""
    pending: list[Iterator[Pair]] = [iter([(path, before, after)])]
    while pending:
        found = next(pending[-1], None)
        if found is None:
            pending.pop()
            continue
        place, one, other = found
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            pending.append(_members(place, one, other))
        elif isinstance(one, list) and isinstance(other, list):
            pending.append(_items(place, one, other))
        elif not _are_equal(one, other) and not is_same(one, other):
            yield Change(place, one, other)


def _members(place: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Pair]:
    for name in dict.fromkeys([*one, *other]):
        yield _member(place, name), one.get(name), other.get(name)


def _items(place: str, one: list[Any], other: list[Any]) -> Iterator[Pair]:
    for index, pair in enumerate(zip_longest(one, other)):
        yield _shortened(f"{place}[{index}]"), *pair


def _shortened(path: str) -> str:
    """Return a path as long as it is shown: each value below a long name has it in its path."""
    return path[:MOST_CHARACTERS]


def _are_equal(one: Any, other: Any) -> bool:
    """Return whether two values are equal in JSON, where 1 is 1.0 and no true."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _member(place: str, name: str) -> str:
    if name.isidentifier():
        return _shortened(f"{place}.{name}")
    return _shortened(f"{place}[{json.dumps(name[:MOST_CHARACTERS])}]")


def _cut(value: Any) -> Any:
    """Return a value, or the begin of its text where it is long."""
    if isinstance(value, str):
        return value if len(value) <= MOST_CHARACTERS else value[:MOST_CHARACTERS] + CUT
    if not isinstance(value, dict | list):
        return value
    text = _text(value)
    return value if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + CUT


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
