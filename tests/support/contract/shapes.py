"""Exact comparison of an answer's members and types."""

import re
from typing import Any

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
HEX = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")


def moment(value: object) -> bool:
    """Match a time in UTC, to the millisecond."""
    return isinstance(value, str) and ISO.fullmatch(value) is not None


def moment_or_null(value: object) -> bool:
    """Match a time or null."""
    return value is None or moment(value)


def uuid(value: object) -> bool:
    """Match a UUID in lower case."""
    return isinstance(value, str) and HEX.fullmatch(value) is not None


def number(value: object) -> bool:
    """Match a JSON number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def whole_or_null(value: object) -> bool:
    """Match a whole number or null."""
    return value is None or type(value) is int


def text_or_null(value: object) -> bool:
    """Match a text or null."""
    return value is None or isinstance(value, str)


def sentence(value: object) -> bool:
    """Match a sentence."""
    return isinstance(value, str) and " " in value.strip()


def anything(value: object) -> bool:
    """Match anything."""
    return True


def assert_fits(value: Any, pattern: Any) -> None:
    """Fail with every place at which the value does not match the pattern.

    A pattern is a type, a predicate, a list with the pattern of each item, an object whose
    members may end in `?` when they may be missing, or the value itself.
    """
    wrong = list(_faults(value, pattern, "$"))
    assert not wrong, f"{wrong} in {value!r}"


def _faults(value: Any, pattern: Any, place: str) -> list[str]:
    if isinstance(pattern, dict):
        return _object_faults(value, pattern, place)
    if isinstance(pattern, list):
        if not isinstance(value, list):
            return [f"{place} is no list"]
        return [
            fault
            for index, item in enumerate(value)
            for fault in _faults(item, pattern[0], f"{place}[{index}]")
        ]
    return [] if _is(value, pattern) else [f"{place} is {value!r}"]


def _object_faults(value: Any, pattern: dict[str, Any], place: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{place} is no object"]
    needed = {name for name in pattern if not name.endswith("?")}
    known = {name.removesuffix("?"): each for name, each in pattern.items()}
    faults = [f"{place}.{name} is missing" for name in sorted(needed - value.keys())]
    faults += [f"{place}.{name} is not promised" for name in sorted(value.keys() - known.keys())]
    for name in sorted(value.keys() & known.keys()):
        faults += _faults(value[name], known[name], f"{place}.{name}")
    return faults


def _is(value: Any, pattern: Any) -> bool:
    if isinstance(pattern, type):
        return type(value) is pattern
    if callable(pattern):
        return bool(pattern(value))
    return type(value) is type(pattern) and bool(value == pattern)
