"""Looking at a file while it passes: at its head what it is, at its end whether it is whole."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Protocol

from engine.media.audio_durations import OggFollower
from engine.media.formats import HEAD_BYTES, Facts, MediaKind, UnfitMedia, read_facts
from engine.media.image_frames import STEPS, Frames, JpegEnd
from engine.media.mp4 import MovieFollower
from engine.media.stream_follower import HeaderMetadata

MAX_MS = (1 << 53) - 1
"""What is longer is no length: no reader of JSON need know such a number."""


class Watcher(Protocol):
    """Looks at a file as it passes, from where its data begin."""

    def feed(self, piece: bytes) -> None:
        """The next bytes. Raises UnfitMedia."""
        ...

    def finish(self) -> HeaderMetadata | None:
        """There are no more bytes: what they have told, None: nothing that the head does not.

        Raises UnfitMedia when they end too early: what stands behind a picture could be something
        else, for those who read from the end.
        """
        ...


WATCHERS: Mapping[str, Callable[[], Watcher]] = {
    **{content_type: partial(Frames, content_type) for content_type in STEPS},
    "image/jpeg": JpegEnd,
    "video/mp4": MovieFollower,
    "audio/mp4": MovieFollower,
    "audio/ogg": OggFollower,
}
"""Of the types of which not all is known by the head."""


class TooLargeMedia(ValueError):
    """The file is over the limit of bytes."""


class Inspector:
    """Reads a file that comes in pieces, and lets it through once it is known to be fit.

    `medium` is what it must be, None for anything that is taken.
    """

    def __init__(self, declared: str, max_bytes: float, medium: MediaKind | None = None) -> None:
        self._declared = declared
        self._medium = medium
        self._max_bytes = max_bytes
        self._watcher: Watcher | None = None
        self.bytes = 0
        self.facts: Facts | None = None

    async def through(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The same bytes. Raises UnfitMedia or TooLargeMedia instead of the rest."""
        head = bytearray()
        async for piece in pieces:
            self._count(piece)
            if self.facts is not None:
                self._watch(piece)
                yield piece
                continue
            head += piece
            if len(head) >= HEAD_BYTES:
                yield self._begin(bytes(head))
        if self.facts is None:
            yield self._begin(bytes(head))
        self.facts = self._measured(self.known)

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
        watcher = WATCHERS.get(self.facts.content_type)
        self._watcher = watcher() if watcher else None
        self._watch(head[self.facts.data_at :])
        return head

    def _watch(self, piece: bytes) -> None:
        if self._watcher is not None:
            self._watcher.feed(piece)

    def _measured(self, facts: Facts) -> Facts:
        """What is known at the end. Raises UnfitMedia."""
        told = self._watcher.finish() if self._watcher else None
        if told is not None:
            facts = replace(facts, duration_ms=told.duration_ms)
            if facts.medium is MediaKind.VIDEO:
                facts = replace(facts, width=told.width, height=told.height)
        if facts.bytes_per_second:
            # A sound is as long as its bytes: a header written before them may say anything.
            there = max(0, self.bytes - facts.data_at) * 1000 // facts.bytes_per_second
            facts = replace(facts, duration_ms=min(facts.duration_ms or there, there))
        if (facts.duration_ms or 0) > MAX_MS:
            facts = replace(facts, duration_ms=None)
        return facts
