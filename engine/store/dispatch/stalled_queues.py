"""Detection of queues that no worker reads, by a first hint that does not change."""

from collections.abc import Mapping

STALLED_SECONDS = 5.0
"""Age of an unchanged first hint at which its queue counts as stalled."""


class StalledQueues:
    """Compares the first hints of queues between reads; times are of one clock."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[bytes, float]] = {}
        """First hint of each queue, and the time at which it was first seen."""

    def observe(self, heads: Mapping[str, bytes | None], now: float) -> None:
        """Record the first hints of all queues."""
        known = self._first
        self._first = {
            queue: known[queue] if queue in known and known[queue][0] == head else (head, now)
            for queue, head in heads.items()
            if head is not None
        }

    def forget(self) -> None:
        """Start over after a failed read."""
        self._first = {}

    def waiting(self) -> list[str]:
        """Return the queues with a hint at the last read."""
        return list(self._first)

    def stalled(self, now: float) -> list[str]:
        """Return the queues whose first hint is unchanged for too long."""
        return [queue for queue, (_, since) in self._first.items() if now - since > STALLED_SECONDS]
