"""Incremental parser of a streamed file, which buffers only the bytes it needs."""

from collections.abc import Generator
from dataclasses import dataclass

Steps = Generator[tuple[int, int], bytes, None]
"""Parser as a generator: yields (bytes to skip, bytes to receive next, at least 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderMetadata:
    """Facts that the start of a file does not tell; None: unknown."""

    duration_ms: int | None = None
    width: int | None = None
    height: int | None = None
    content_type: str | None = None
    """Type of the file, where the end alone tells it."""


class StreamFollower:
    """Feeds the pieces of a file to a parser, and buffers only the bytes that it requests."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._buffer = b""
        self.is_over = False
        """True when the parser has ended."""
        self._skip, self._want = next(steps)

    def feed(self, piece: bytes) -> int:
        """Feed the next bytes; return how many of them the parser consumed.

        Raises the errors of the parser.
        """
        at = 0
        while not self.is_over and at < len(piece):
            passed = min(self._skip, len(piece) - at)
            self._skip -= passed
            at += passed
            part = piece[at : at + self._want - len(self._buffer)]
            at += len(part)
            self._buffer += part
            if not self._skip and len(self._buffer) == self._want:
                self._step()
        return at

    def _step(self) -> None:
        data, self._buffer = self._buffer, b""
        try:
            self._skip, self._want = self._steps.send(data)
        except StopIteration:
            self.is_over = True
