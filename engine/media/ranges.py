"""The Range header: one range of bytes, or the whole."""

import re
from dataclasses import dataclass

SPEC = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})", re.IGNORECASE)
MAX_HEADER = 64
"""A longer header names more than one range, and need not be read."""


class UnsatisfiableRange(ValueError):
    """The range lies behind the end."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """From a byte up to and without another."""

    start: int
    end: int


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """The one range that is asked for; None for the whole, as for several or what is not a range.

    Raises UnsatisfiableRange.
    """
    match = SPEC.fullmatch(header.strip()) if header and len(header) <= MAX_HEADER else None
    if match is None or match.group() == "bytes=-":
        return None
    first, last = match.groups()
    if not first and not last:
        return None
    if not first:
        return _suffix(int(last), size)
    start, end = int(first), int(last) + 1 if last else size
    if start >= end and last:
        return None  # the last byte before the first: not a range
    if start >= size:
        raise UnsatisfiableRange
    return ByteRange(start, min(end, size))


def _suffix(length: int, size: int) -> ByteRange:
    if not length or not size:
        raise UnsatisfiableRange
    return ByteRange(max(0, size - length), size)
