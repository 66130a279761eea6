"""Detection of jumps of Redis's clock by this machine's monotonic clock."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """One reading of Redis's clock, all in seconds.

    `before` and `after` are the monotonic clock around the call that read `redis`.
    """

    redis: float
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockComparison:
    """Result of comparing a reading with an earlier one."""

    is_steady: bool
    """Redis's clock cannot have jumped by more than the tolerance."""
    jump: float = 0.0
    """Seconds of a jump that exceeds the tolerance for certain, negative for one back; else 0."""


class ClockJumpDetector:
    """Compares the advance of Redis's clock with that of the monotonic clock.

    A reading that took long leaves room for a jump: the result is then neither steady nor a jump.
    Jumps that are each within the tolerance are summed up over `window` seconds.
    """

    def __init__(self, *, tolerance: float, window: float) -> None:
        self._tolerance = tolerance
        self._window = window
        self._reference: ClockReading | None = None

    @property
    def has_reading(self) -> bool:
        """True when there is a reading to compare the next one with."""
        return self._reference is not None

    def compare(self, reading: ClockReading) -> ClockComparison:
        """Compare a reading with those before it. The first one counts as steady."""
        reference = self._reference
        if reference is None:
            self._reference = reading
            return ClockComparison(is_steady=True)
        advance = reading.redis - reference.redis
        least = advance - (reading.after - reference.before)
        most = advance - (reading.before - reference.after)
        is_steady = -self._tolerance <= least and most <= self._tolerance
        if not is_steady or reading.after - reference.after > self._window:
            self._reference = reading
        is_jump = least > self._tolerance or most < -self._tolerance
        return ClockComparison(is_steady=is_steady, jump=(least + most) / 2 if is_jump else 0.0)
