"""Parser of the Range header, for one range of bytes."""

import re
from dataclasses import dataclass

SPEC = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})", re.IGNORECASE)
MAX_HEADER = 64
"""A longer header has more than one range, and is ignored."""


class UnsatisfiableRange(ValueError):
    """The range starts after the end of the file."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Range of bytes from `start` up to, but without, `end`."""

    start: int
    end: int


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """Return the requested range; None for the whole file, also if the header is unusable.

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
