"""Frame count and end of an image file, checked while it streams."""

from collections.abc import Callable, Mapping

from engine.media.formats import MAX_FRAMES, UnfitMedia, check_pixels
from engine.media.stream_follower import Steps, StreamFollower

JPEG_END = b"\xff\xd9"
MAX_CHUNK = (1 << 31) - 1
PNG_SUM = b"\xaeB`\x82"
"""Checksum of the empty last chunk."""
NO_END = "The file does not end where its format ends"


class Frames:
    """Checks the frames of an image file without decoding or buffering them."""

    def __init__(self, content_type: str) -> None:
        """`content_type` is a key of `STEPS`."""
        self._follower = StreamFollower(STEPS[content_type]())

    def feed(self, piece: bytes) -> None:
        """Feed the next bytes. Raises UnfitMedia for damage, and for too many frames."""
        if self._follower.feed(piece) < len(piece):
            raise UnfitMedia("Something comes behind the end of the picture")

    def finish(self) -> None:
        """Mark the end of the file. Raises UnfitMedia if it is incomplete."""
        if not self._follower.is_over:
            raise UnfitMedia(NO_END)


class JpegEnd:
    """Looks for the end marker of a JPEG behind its header."""

    def __init__(self) -> None:
        self._last = b""
        self._is_there = False

    def feed(self, piece: bytes) -> None:
        """Feed the next bytes."""
        if not self._is_there:
            self._is_there = JPEG_END in self._last + piece
            self._last = piece[-1:]

    def finish(self) -> None:
        """Mark the end of the file. Raises UnfitMedia if it is incomplete."""
        if not self._is_there:
            raise UnfitMedia(NO_END)


class _Count:
    def __init__(self) -> None:
        self._frames = 0

    def add(self, width: int, height: int) -> None:
        """Count a frame of this extent. Raises UnfitMedia."""
        check_pixels(max(width, 1), max(height, 1))
        self._frames += 1
        self.expect(self._frames)

    def expect(self, frames: int) -> None:
        """Check a number of frames. Raises UnfitMedia."""
        if frames > MAX_FRAMES:
            raise UnfitMedia(f"The animation has more than {MAX_FRAMES} frames")


def _gif() -> Steps:
    count = _Count()
    head = yield 0, 13
    skip = _colors(head[10])
    while True:
        [kind] = yield skip, 1
        skip = 0
        if kind == 0x3B:
            return
        if kind == 0x2C:
            place = yield 0, 9
            left, top, width, height = (_little(place[at : at + 2]) for at in (0, 2, 4, 6))
            count.add(left + width, top + height)
            skip = _colors(place[8]) + 1
        elif kind == 0x21:
            skip = 1
        elif kind:
            raise UnfitMedia("The GIF's blocks are damaged")
        size = kind
        while size:
            [size] = yield skip, 1
            skip = size


def _colors(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _png() -> Steps:
    count, skip = _Count(), 8
    while True:
        head = yield skip, 8
        length, kind = int.from_bytes(head[:4]), head[4:]
        if length > MAX_CHUNK:
            raise UnfitMedia("The PNG's chunks are damaged")
        if kind == b"IEND":
            if length or (yield 0, 4) != PNG_SUM:
                raise UnfitMedia(NO_END)
            return
        skip = length + 4
        if kind == b"acTL" and length == 8:
            count.expect(int.from_bytes((yield 0, 4)))
            skip -= 4
        elif kind == b"fcTL" and length >= 12:
            size = yield 4, 8
            count.add(int.from_bytes(size[:4]), int.from_bytes(size[4:]))
            skip -= 12


def _webp() -> Steps:
    count = _Count()
    head = yield 0, 12
    left, skip = _little(head[4:8]) - 4, 0
    while left > 0:
        chunk = yield skip, 8
        size = _little(chunk[4:])
        skip = size + size % 2
        left -= 8 + skip
        if chunk[:4] == b"ANMF" and size >= 16:
            place = yield 6, 6
            count.add(_little(place[:3]) + 1, _little(place[3:]) + 1)
            skip -= 12
    if left < -1:  # some encoders omit the last chunk's padding from the total size
        raise UnfitMedia("The WebP's chunks are damaged")
    if skip:
        yield skip - 1, 1


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")


STEPS: Mapping[str, Callable[[], Steps]] = {
    "image/gif": _gif,
    "image/png": _png,
    "image/webp": _webp,
}
