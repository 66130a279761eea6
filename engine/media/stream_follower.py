"""Following the parts of a file as it passes, a few bytes of each at a time."""

from collections.abc import Generator
from dataclasses import dataclass

Steps = Generator[tuple[int, int], bytes, None]
"""Asks for so many bytes to be passed over, and so many (one at least) to be handed in behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderMetadata:
    """What a file says of itself; None: it is not told."""

    duration_ms: int | None = None
    width: int | None = None
    height: int | None = None


class StreamFollower:
    """Takes a file's pieces and holds no more of them than its steps ask for."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._held = b""
        self.is_over = False
        """Whether the steps have ended: they want no more bytes."""
        self._skip, self._want = next(steps)

    def feed(self, piece: bytes) -> int:
        """The next bytes; returns how many of them came before the steps ended.

        Raises what the steps raise.
        """
        at = 0
        while not self.is_over and at < len(piece):
            passed = min(self._skip, len(piece) - at)
            self._skip -= passed
            at += passed
            part = piece[at : at + self._want - len(self._held)]
            at += len(part)
            self._held += part
            if not self._skip and len(self._held) == self._want:
                self._step()
        return at

    def _step(self) -> None:
        held, self._held = self._held, b""
        try:
            self._skip, self._want = self._steps.send(held)
        except StopIteration:
            self.is_over = True
