"""List and JSON functions added to CEL, over plain Python values.

They raise ValueError with a sentence, which fails the expression.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from engine.values.cel.values import to_doubles, to_plain
from engine.values.plain import fault, has_nul

MAX_RANGE = 100_000
MAX_JSON_BYTES = 10_485_760


def add_up(items: Sequence[Any]) -> int | float:
    """Return the sum of numbers; of an empty list the double 0."""
    if not all(_is_number(item) for item in items):
        raise ValueError("sum takes a list of numbers")
    total: int | float = sum(items) if items else 0.0
    if isinstance(total, int) and not -(2**63) <= total < 2**63:
        raise ValueError("sum is over 64 bits")
    return total


def sort(items: Sequence[Any]) -> list[Any]:
    """Return numbers in ascending order, or texts in order of code points."""
    is_sortable = all(_is_number(item) for item in items) or all(
        isinstance(item, str) for item in items
    )
    if not is_sortable:
        raise ValueError("sort takes a list of numbers or a list of texts")
    return sorted(items)


def distinct(items: Sequence[Any]) -> list[Any]:
    """Return the items without duplicates."""
    found: dict[bytes, Any] = {}
    for item in items:
        found.setdefault(_encode("distinct", item), item)
    return list(found.values())


def reverse(items: Any) -> Any:
    """Return a list or a text in reverse order."""
    return items[::-1]


def flatten(items: Sequence[Any]) -> list[Any]:
    """Return the items with nested lists replaced by their items, one level deep."""
    found: list[Any] = []
    for item in items:
        found.extend(item if isinstance(item, list) else [item])
    return found


def slice_list(items: Sequence[Any], start: float, end: float) -> list[Any]:
    """Return the items from position `start` up to, but without, `end`."""
    first, behind = _whole("slice", start), _whole("slice", end)
    return list(items[first:behind])


def count_from_zero(length: float) -> list[int]:
    """Return the first `length` integers from 0."""
    number = _whole("lists.range", length)
    if number > MAX_RANGE:
        raise ValueError(f"lists.range takes at most {MAX_RANGE}")
    return list(range(number))


def parse_json(text: str) -> Any:
    """Parse JSON."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise ValueError("json.parse takes a text that is JSON") from None
    reason = fault(value) or ("has a text with a NUL character" if has_nul(value) else None)
    if reason:
        raise ValueError(f"json.parse: the value {reason}")
    return to_doubles(value)


def write_json(value: Any) -> str:
    """Return compact JSON."""
    data = _encode("json.stringify", value)
    if len(data) > MAX_JSON_BYTES:
        raise ValueError(f"json.stringify gives at most {MAX_JSON_BYTES} bytes")
    return data.decode()


def _encode(name: str, value: Any) -> bytes:
    """Encode a value; equal values give equal bytes."""
    try:
        plain = to_plain(value)
        reason = fault(plain)
    except ValueError as error:
        reason = str(error)
    if reason:
        raise ValueError(f"{name}: the value {reason}")
    return msgspec.json.encode(plain)


def _is_number(item: object) -> bool:
    return isinstance(item, int | float) and not isinstance(item, bool)


def _whole(name: str, number: float) -> int:
    if number < 0 or number != number // 1:
        raise ValueError(f"{name} takes whole numbers from 0")
    return int(number)
