"""Time that a caller gives a call."""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """Moment of a monotonic clock at which a call gives up."""

    clock: Callable[[], float]
    at: float

    @classmethod
    def after(cls, clock: Callable[[], float], seconds: float | None) -> "Deadline":
        """Return the deadline so many seconds from now; None never comes."""
        return cls(clock, math.inf if seconds is None else clock() + max(0.0, seconds))

    @property
    def remaining(self) -> float:
        """Seconds that are left, zero when it is over; infinite without a deadline."""
        return max(0.0, self.at - self.clock())
