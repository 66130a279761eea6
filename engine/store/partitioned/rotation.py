"""Partitions in turn: searches over all partitions read some of them at a time."""

import math
import time

from engine.ids import partitions

AT_LEAST = 16
"""Partitions that are taken at once: with this many or fewer, all of them."""


class Rotation:
    """Takes the partitions in turn, so that each is taken once in a period."""

    def __init__(self, *, at_least: int = AT_LEAST) -> None:
        self._at_least = at_least
        self._next = 0
        self._taken_at = -math.inf

    def take(self, period_seconds: float) -> list[int]:
        """Return the next partitions; all of them at first, or when a period has passed.

        Raises Unavailable before the number of partitions is known.
        """
        count, now = partitions.count(), time.monotonic()
        passed, self._taken_at = now - self._taken_at, now
        share = min(1.0, passed / max(period_seconds, 1e-9))
        size = min(count, max(self._at_least, math.ceil(count * share)))
        start, self._next = self._next % count, self._next + size
        return [(start + each) % count for each in range(size)]
