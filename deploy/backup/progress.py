"""Progress of a backup or a restore, as lines on standard error."""

import sys
from time import monotonic

LINE_SECONDS = 5.0
"""Time between two lines about one part."""


class ProgressLines:
    """Says how far a part is: at its start, and every few seconds."""

    def __init__(self, *, is_quiet: bool = False) -> None:
        self._is_quiet = is_quiet
        self._said_at = 0.0

    def say(self, text: str) -> None:
        """Print a line."""
        if not self._is_quiet:
            print(text, file=sys.stderr, flush=True)
        self._said_at = monotonic()

    def report(self, part: str, size: int) -> None:
        """Print the bytes of a part, unless the last line is too new."""
        if monotonic() - self._said_at >= LINE_SECONDS:
            self.say(f"{part}: {shown_bytes(size)}")

    def count(self, noun: str, number: int) -> None:
        """Print a number of things, unless the last line is too new."""
        if monotonic() - self._said_at >= LINE_SECONDS:
            self.say(f"{number:,} {noun}")


def shown_bytes(size: int) -> str:
    """Return a size in the unit that suits it."""
    number = float(size)
    for unit in ("bytes", "KB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"
