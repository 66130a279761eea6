"""What the header of an MP4 says of its film: how long and how large it is."""

from collections.abc import Iterator
from dataclasses import dataclass

MAX_BOXES = 64
MAX_TRACKS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Movie:
    """None: it is not told, or not at the beginning of the file."""

    duration_ms: int | None = None
    width: int | None = None
    height: int | None = None


UNKNOWN = Movie()


def read_movie(head: bytes, at: int) -> Movie:
    """Read the boxes behind the first, as far as they are in the head of the file."""
    for name, start, end in _boxes(head, at, len(head), MAX_BOXES):
        if name == b"moov":
            return _read_header(head, start, end)
    return UNKNOWN


def _read_header(head: bytes, start: int, end: int) -> Movie:
    boxes = list(_boxes(head, start, end, MAX_BOXES + MAX_TRACKS))
    duration = next((_duration(head[at:to]) for name, at, to in boxes if name == b"mvhd"), None)
    for name, at, to in boxes:
        if name == b"trak" and (size := _track_size(head, at, to)) is not None:
            return Movie(duration_ms=duration, width=size[0], height=size[1])
    return Movie(duration_ms=duration)


def _boxes(head: bytes, at: int, end: int, most: int) -> Iterator[tuple[bytes, int, int]]:
    """The names of boxes in a row, with where their content begins and ends."""
    for _ in range(most):
        size = int.from_bytes(head[at : at + 4])
        if size < 8 or at + 8 > end:
            return
        yield head[at + 4 : at + 8], at + 8, min(at + size, end)
        at += size


def _duration(box: bytes) -> int | None:
    scale_at, size = (20, 8) if box[:1] == b"\x01" else (12, 4)
    if len(box) < scale_at + 4 + size:
        return None
    scale = int.from_bytes(box[scale_at : scale_at + 4])
    ticks = int.from_bytes(box[scale_at + 4 : scale_at + 4 + size])
    is_known = scale > 0 and ticks != (1 << 8 * size) - 1
    return ticks * 1000 // scale if is_known else None


def _track_size(head: bytes, start: int, end: int) -> tuple[int, int] | None:
    """How large a track is as it is shown, upright; None for sounds."""
    for name, at, to in _boxes(head, start, end, MAX_BOXES):
        if name == b"tkhd":
            return _shown_size(head[at:to])
    return None


def _shown_size(box: bytes) -> tuple[int, int] | None:
    matrix_at = 52 if box[:1] == b"\x01" else 40
    if len(box) < matrix_at + 44:
        return None
    # Both are numbers of 16.16 bits; what comes behind the comma is less than a pixel.
    width, height = (int.from_bytes(box[matrix_at + by : matrix_at + by + 2]) for by in (36, 40))
    if not width or not height:
        return None
    across, down = box[matrix_at : matrix_at + 4], box[matrix_at + 4 : matrix_at + 8]
    is_on_its_side = any(down) and not any(across)
    return (height, width) if is_on_its_side else (width, height)
