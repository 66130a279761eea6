"""Queues of hints that no worker takes from, told by a first hint that stays the same."""

from collections.abc import Mapping

STALLED_SECONDS = 5.0
"""A hint that stays first for longer is one that no worker takes."""


class StalledQueues:
    """Compares the first hints of the queues between looks; times are those of one clock."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[bytes, float]] = {}
        """By queue: the first hint and the time at which it was first seen there."""

    def note(self, heads: Mapping[str, bytes | None], now: float) -> None:
        """Record a look at all queues."""
        known = self._first
        self._first = {
            queue: known[queue] if queue in known and known[queue][0] == head else (head, now)
            for queue, head in heads.items()
            if head is not None
        }

    def forget(self) -> None:
        """Begin anew, after a look that failed."""
        self._first = {}

    def waiting(self) -> list[str]:
        """Queues in which a hint waited at the last look."""
        return list(self._first)

    def stalled(self, now: float) -> list[str]:
        """Queues whose first hint has stayed the same for too long."""
        return [queue for queue, (_, since) in self._first.items() if now - since > STALLED_SECONDS]
