"""Duration and size of an MP4 from its header, which may be anywhere in the file."""

from collections.abc import Generator

from engine.media.stream_follower import HeaderMetadata, Steps, StreamFollower

MAX_BOXES = 64
MAX_TRACKS = 100
MVHD_BYTES = 32
TKHD_BYTES = 96
"""Bytes of these boxes that are read."""

BoxSteps = Generator[tuple[int, int], bytes, int]
"""Parser of a box, which returns how many of its bytes it consumed."""


class MovieFollower:
    """Parses the boxes of a streamed MP4 up to the end of its header."""

    def __init__(self) -> None:
        self._duration_ms: int | None = None
        self._size: tuple[int, int] | None = None
        self._is_fragmented = False
        self._follower = StreamFollower(self._file())

    def feed(self, piece: bytes) -> None:
        """Feed the next bytes of the file."""
        self._follower.feed(piece)

    def finish(self) -> HeaderMetadata:
        """Return the metadata found in the file."""
        width, height = self._size or (None, None)
        duration_ms = self._duration_ms
        if not duration_ms and self._is_fragmented:
            duration_ms = None  # a fragmented file is written before its duration is known
        return HeaderMetadata(duration_ms=duration_ms, width=width, height=height)

    def _file(self) -> Steps:
        skip = 0
        for _ in range(MAX_BOXES):
            head = yield skip, 8
            size, begun = int.from_bytes(head[:4]), 8
            if size == 1:
                size, begun = int.from_bytes((yield 0, 8)), 16
            skip = size - begun
            if skip < 0:
                return
            if head[4:] == b"moov":
                yield from self._header(skip)
                return

    def _header(self, left: int) -> Steps:
        skip = 0
        for _ in range(MAX_BOXES + MAX_TRACKS):
            if left < skip + 8:
                return
            head = yield skip, 8
            left -= skip + 8
            size, passed = min(int.from_bytes(head[:4]) - 8, left), 0
            if size < 0:
                return
            if head[4:] == b"mvhd" and self._duration_ms is None:
                passed = yield from self._length(size)
            elif head[4:] == b"trak" and self._size is None:
                passed = yield from self._track(size)
            self._is_fragmented |= head[4:] == b"mvex"
            left -= passed
            skip = size - passed

    def _length(self, size: int) -> BoxSteps:
        passed = min(size, MVHD_BYTES)
        if passed:
            self._duration_ms = _duration((yield 0, passed))
        return passed

    def _track(self, size: int) -> BoxSteps:
        """Parse a track; a sound track has no size, so the next track is parsed too."""
        passed = skip = 0
        for _ in range(MAX_BOXES):
            if size - passed < skip + 8:
                break
            head = yield skip, 8
            passed += skip + 8
            skip = int.from_bytes(head[:4]) - 8
            if skip < 0:
                break
            if head[4:] == b"tkhd":
                known = min(skip, size - passed, TKHD_BYTES)
                if known:
                    self._size = _shown_size((yield 0, known))
                return passed + known
        return passed


def read_movie(data: bytes) -> HeaderMetadata:
    """Return the metadata in the start of a file."""
    follower = MovieFollower()
    follower.feed(data)
    return follower.finish()


def _duration(box: bytes) -> int | None:
    scale_at, size = (20, 8) if box[:1] == b"\x01" else (12, 4)
    if len(box) < scale_at + 4 + size:
        return None
    scale = int.from_bytes(box[scale_at : scale_at + 4])
    ticks = int.from_bytes(box[scale_at + 4 : scale_at + 4 + size])
    is_known = scale > 0 and ticks != (1 << 8 * size) - 1
    return ticks * 1000 // scale if is_known else None


def _shown_size(box: bytes) -> tuple[int, int] | None:
    """Return the displayed width and height of a track; None for sounds."""
    matrix_at = 52 if box[:1] == b"\x01" else 40
    if len(box) < matrix_at + 44:
        return None
    # Both are fixed-point numbers of 16.16 bits; only whole pixels are read.
    width, height = (int.from_bytes(box[matrix_at + by : matrix_at + by + 2]) for by in (36, 40))
    if not width or not height:
        return None
    across, down = box[matrix_at : matrix_at + 4], box[matrix_at + 4 : matrix_at + 8]
    is_on_its_side = any(down) and not any(across)
    return (height, width) if is_on_its_side else (width, height)
