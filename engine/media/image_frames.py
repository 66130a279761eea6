"""The pictures in one file, counted as it passes, and whether it ends where it ought to."""

from collections.abc import Callable, Mapping

from engine.media.formats import MAX_FRAMES, UnfitMedia, check_pixels
from engine.media.stream_follower import Steps, StreamFollower

JPEG_END = b"\xff\xd9"
MAX_CHUNK = (1 << 31) - 1
PNG_SUM = b"\xaeB`\x82"
"""Of the last chunk, which holds nothing."""
NO_END = "The file does not end where its format ends"


class Frames:
    """Follows the parts of a file of pictures; nothing of them is decoded or held."""

    def __init__(self, content_type: str) -> None:
        """The content type is one of `STEPS`."""
        self._follower = StreamFollower(STEPS[content_type]())

    def feed(self, piece: bytes) -> None:
        """The next bytes. Raises UnfitMedia when there are too many pictures, and for damage."""
        if self._follower.feed(piece) < len(piece):
            raise UnfitMedia("Something comes behind the end of the picture")

    def finish(self) -> None:
        """There are no more bytes. Raises UnfitMedia when there should be."""
        if not self._follower.is_over:
            raise UnfitMedia(NO_END)


class JpegEnd:
    """Looks for the mark that ends a JPEG's picture in what comes behind its header."""

    def __init__(self) -> None:
        self._last = b""
        self._is_there = False

    def feed(self, piece: bytes) -> None:
        """The next bytes."""
        if not self._is_there:
            self._is_there = JPEG_END in self._last + piece
            self._last = piece[-1:]

    def finish(self) -> None:
        """There are no more bytes. Raises UnfitMedia when there should be."""
        if not self._is_there:
            raise UnfitMedia(NO_END)


class _Count:
    def __init__(self) -> None:
        self._frames = 0

    def add(self, width: int, height: int) -> None:
        """A picture that reaches so far. Raises UnfitMedia."""
        check_pixels(max(width, 1), max(height, 1))
        self._frames += 1
        self.expect(self._frames)

    def expect(self, frames: int) -> None:
        """There are so many. Raises UnfitMedia."""
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
    if left < -1:  # some leave the last chunk's padding out of the whole size
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
