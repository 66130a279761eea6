"""Looking at a file while it passes: at its head what it is, at its end whether it is whole."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from engine.media.formats import HEAD_BYTES, Facts, Medium, UnfitMedia, read_facts
from engine.media.frames import Frames
from engine.media.movies import MovieFollower
from engine.media.sounds import OggFollower

JPEG_END = b"\xff\xd9"
MAX_MS = (1 << 53) - 1
"""What is longer is no length: no reader of JSON need know such a number."""
FOLLOWERS: Mapping[str, type[MovieFollower | OggFollower]] = {
    "video/mp4": MovieFollower,
    "audio/mp4": MovieFollower,
    "audio/ogg": OggFollower,
}
"""What reads what a file tells elsewhere than in its head."""


class TooLargeMedia(ValueError):
    """The file is over the limit of bytes."""


class Inspector:
    """Reads a file that comes in pieces, and lets it through once it is known to be fit.

    `medium` is what it must be, None for anything that is taken.
    """

    def __init__(self, declared: str, max_bytes: float, medium: Medium | None = None) -> None:
        self._declared = declared
        self._medium = medium
        self._max_bytes = max_bytes
        self._frames = Frames("")
        self._follower: MovieFollower | OggFollower | None = None
        self._last = b""
        self._has_jpeg_end = False
        self.bytes = 0
        self.facts: Facts | None = None

    async def through(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The same bytes. Raises UnfitMedia or TooLargeMedia instead of the rest."""
        head = bytearray()
        async for piece in pieces:
            self._count(piece)
            if self.facts is not None:
                self._note(piece)
                if self._follower is not None:
                    self._follower.feed(piece)
                yield piece
                continue
            head += piece
            if len(head) >= HEAD_BYTES:
                yield self._begin(bytes(head))
        if self.facts is None:
            yield self._begin(bytes(head))
        self._check_end()

    @property
    def known(self) -> Facts:
        """What the file is, once its head has passed. Raises UnfitMedia before."""
        if self.facts is None:
            raise UnfitMedia("The file is empty")
        return self.facts

    def _count(self, piece: bytes) -> None:
        self.bytes += len(piece)
        if self.bytes > self._max_bytes:
            raise TooLargeMedia

    def _begin(self, head: bytes) -> bytes:
        self.facts = read_facts(head, self._declared)
        if self._medium is not None and self.facts.medium is not self._medium:
            raise UnfitMedia(f"The file is {self.facts.content_type}, not {self._medium}")
        self._frames = Frames(self.facts.content_type)
        self._note(head[self.facts.data_at :])
        follower = FOLLOWERS.get(self.facts.content_type)
        if follower is not None:
            self._follower = follower()
            self._follower.feed(head)
        return head

    def _note(self, piece: bytes) -> None:
        self._frames.feed(piece)
        if self.known.content_type == "image/jpeg" and not self._has_jpeg_end:
            self._has_jpeg_end = JPEG_END in self._last + piece
            self._last = piece[-1:]

    def _check_end(self) -> None:
        """What stands behind a picture could be something else, for those who read from the end."""
        self._frames.finish()
        self._measure()
        if self.known.content_type == "image/jpeg" and not self._has_jpeg_end:
            raise UnfitMedia("The file does not end where its format ends")

    def _measure(self) -> None:
        facts = self.known
        if self._follower is not None:
            told = self._follower.find()
            facts = replace(facts, duration_ms=told.duration_ms)
            if facts.medium is Medium.VIDEO:
                facts = replace(facts, width=told.width, height=told.height)
        if facts.bytes_per_second:
            # A sound is as long as its bytes: a header written before them may say anything.
            there = max(0, self.bytes - facts.data_at) * 1000 // facts.bytes_per_second
            facts = replace(facts, duration_ms=min(facts.duration_ms or there, there))
        if (facts.duration_ms or 0) > MAX_MS:
            facts = replace(facts, duration_ms=None)
        self.facts = facts
