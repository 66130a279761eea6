"""Duration of a WebM from its header."""

import math
import struct
from collections.abc import Iterator

SEGMENT = b"\x18\x53\x80\x67"
INFO = b"\x15\x49\xa9\x66"
SCALE = b"\x2a\xd7\xb1"
DURATION = b"\x44\x89"
NANOSECONDS = 1_000_000
"""Default duration of a tick."""
MAX_ELEMENTS = 64
FLOATS = {4: ">f", 8: ">d"}


def read_webm_length(head: bytes) -> int | None:
    """Return the duration in milliseconds; None: absent from the start of the file."""
    info = _find(head, SEGMENT, INFO)
    scale, ticks = NANOSECONDS, math.nan
    for name, start, end in _elements(info, 0, len(info)):
        if name == SCALE and end - start <= 8:
            scale = int.from_bytes(info[start:end])
        elif name == DURATION and end - start in FLOATS:
            (ticks,) = struct.unpack(FLOATS[end - start], info[start:end])
    milliseconds = ticks * scale / 1_000_000
    return int(milliseconds) if 0 <= milliseconds < math.inf else None


def _find(data: bytes, *path: bytes) -> bytes:
    """Return the element at a path of names, or an empty value."""
    start, end = 0, len(data)
    for wanted in path:
        spans = (span for name, *span in _elements(data, start, end) if name == wanted)
        start, end = next(spans, (0, 0))
    return data[start:end]


def _elements(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and end of the content of consecutive elements."""
    for _ in range(MAX_ELEMENTS):
        name_bytes = _width(data, at, end)
        size_at = at + name_bytes
        size_bytes = _width(data, size_at, end)
        start = size_at + size_bytes
        if not name_bytes or not size_bytes or start > end:
            return
        most = (1 << 7 * size_bytes) - 1
        size = int.from_bytes(data[size_at:start]) & most
        # All ones mean an unknown size: the element extends to the end.
        stop = end if size == most else min(start + size, end)
        yield data[at:size_at], start, stop
        at = stop


def _width(data: bytes, at: int, end: int) -> int:
    """Return the bytes of a variable-length number, from its first byte; 0: invalid."""
    return 9 - data[at].bit_length() if at < end and data[at] else 0
