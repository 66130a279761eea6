"""Plain values: the JSON that flows along edges, and what must never get into it."""

import math
from typing import Any

MAX_DEPTH = 64
MIN_INTEGER = -(2**63)
MAX_INTEGER = 2**64 - 1
"""What the record's encoding holds."""


def fault(value: Any) -> str | None:
    """What makes `value` unfit to flow along an edge, as the end of a sentence, or None."""
    pending = [(value, 1)]
    while pending:
        item, depth = pending.pop()
        reason = _scalar_fault(item)
        if reason:
            return reason
        if depth > MAX_DEPTH:
            return f"is nested more than {MAX_DEPTH} levels deep"
        if isinstance(item, dict):
            if not all(isinstance(key, str) and is_text(key) for key in item):
                return "has an object key that is not a valid text"
            pending.extend((member, depth + 1) for member in item.values())
        elif isinstance(item, list):
            pending.extend((member, depth + 1) for member in item)
    return None


def _scalar_fault(item: Any) -> str | None:
    if item is None or isinstance(item, bool | dict | list):
        return None
    if isinstance(item, str):
        return None if is_text(item) else "has a text with an unpaired surrogate"
    if isinstance(item, int):
        return None if MIN_INTEGER <= item <= MAX_INTEGER else "has an integer over 64 bits"
    if isinstance(item, float):
        return None if math.isfinite(item) else "has a number that is not finite"
    return f"has a {type(item).__name__}, which JSON cannot express"


def is_text(text: str) -> bool:
    """Whether `text` can be written as UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def kind_of(value: Any) -> str:
    """What a value is called in a sentence for people."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list) else "an object"
