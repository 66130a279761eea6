"""Inspection of a streamed media file: its type from the head or the end, and its completeness."""

import math
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Protocol

from engine.media.audio_durations import OggFollower
from engine.media.detection import check_declared, read_start
from engine.media.documents.text_follower import TextFollower
from engine.media.documents.types import PDF, TEXTS, ZIP, resolve_type, type_of_name
from engine.media.documents.zip_directory import OfficeFollower, PdfFollower
from engine.media.formats import HEAD_BYTES, UNTYPED, Facts, MediaKind, UnfitMedia
from engine.media.image_frames import STEPS, Frames, JpegEnd
from engine.media.mp4_durations import MovieFollower
from engine.media.stream_follower import HeaderMetadata

MAX_MS = (1 << 53) - 1
"""Longest duration; a longer one is dropped, since JSON readers may not represent it."""


class Watcher(Protocol):
    """Examines the data of a file, from behind its header, while they pass."""

    def feed(self, piece: bytes) -> None:
        """Feed the next bytes. Raises UnfitMedia."""
        ...

    def finish(self) -> HeaderMetadata | None:
        """Mark the end of the file; return metadata that the head lacks, or None.

        Raises UnfitMedia if the file is incomplete, because data behind an image could be another
        file for a reader that starts at the end.
        """
        ...


WATCHERS: Mapping[str, Callable[[], Watcher]] = {
    **{content_type: partial(Frames, content_type) for content_type in STEPS},
    "image/jpeg": JpegEnd,
    "video/mp4": MovieFollower,
    "audio/mp4": MovieFollower,
    "audio/ogg": OggFollower,
    PDF: PdfFollower,
    ZIP: OfficeFollower,
    **dict.fromkeys(TEXTS, TextFollower),
}
"""Watchers of the types that the head does not fully describe."""


class TooLargeMedia(ValueError):
    """The file exceeds the limit of bytes."""


class Inspector:
    """Filter that passes the pieces of a file on after checking its head.

    `medium` is the required kind; None: any supported kind. The name of the file tells the type of
    a text.
    """

    def __init__(
        self,
        declared: str,
        max_bytes: float,
        medium: MediaKind | None = None,
        file_name: str = "",
    ) -> None:
        self._declared = resolve_type(declared, file_name)
        self._named = type_of_name(file_name)
        self._medium = medium
        self._max_bytes = max_bytes
        self._watcher: Watcher | None = None
        self.bytes = 0
        self.facts: Facts | None = None

    async def through(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the same bytes. Raises UnfitMedia or TooLargeMedia in place of the rest."""
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

    def read_whole(self, data: bytes) -> Facts:
        """Return the facts of a whole file. Raises UnfitMedia or TooLargeMedia."""
        self._count(data)
        self._begin(data[:HEAD_BYTES])
        self._watch(data[HEAD_BYTES:])
        return self._measured(self.known)

    @property
    def known(self) -> Facts:
        """Facts of the file after its head has passed. Raises UnfitMedia before."""
        if self.facts is None:
            raise UnfitMedia("The file is empty")
        return self.facts

    def _count(self, piece: bytes) -> None:
        self.bytes += len(piece)
        if self.bytes > self._max_bytes:
            raise TooLargeMedia

    def _begin(self, head: bytes) -> bytes:
        self.facts = read_start(head, self._declared, self._named)
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
        """Return the facts completed at the end of the file. Raises UnfitMedia."""
        metadata = self._watcher.finish() if self._watcher else None
        if metadata is not None and metadata.content_type is not None:
            return check_declared(Facts(content_type=metadata.content_type), self._declared)
        if metadata is not None:
            facts = replace(facts, duration_ms=metadata.duration_ms)
            if facts.medium is MediaKind.VIDEO:
                facts = replace(facts, width=metadata.width, height=metadata.height)
        if facts.bytes_per_second:
            # Bytes bound the duration: a header written before them may be wrong.
            actual_ms = max(0, self.bytes - facts.data_at) * 1000 // facts.bytes_per_second
            facts = replace(facts, duration_ms=min(facts.duration_ms or actual_ms, actual_ms))
        if (facts.duration_ms or 0) > MAX_MS:
            facts = replace(facts, duration_ms=None)
        return facts


def inspect_whole(data: bytes, declared: str = UNTYPED, file_name: str = "") -> Facts:
    """Return the facts of a whole file, with the duration if it can be read. Raises UnfitMedia."""
    return Inspector(declared, math.inf, file_name=file_name).read_whole(data)
