"""Redis's clock, by which leases are measured: its jumps, and times when it proves no death."""

import logging
import time
from dataclasses import dataclass

from engine.store.webhooks.deliveries import LEASE_MS as DELIVERY_LEASE_MS

log = logging.getLogger(__name__)


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


class RecoveryClock:
    """Says when a lease that is over by Redis's clock proves the death of its worker.

    After the store was out of reach, no worker counts as dead until a whole lease has passed: a
    living one could not renew its lease either. The same holds after a jump of Redis's clock, and
    after this machine slept.
    """

    def __init__(self, lease_seconds: float) -> None:
        self.lease_seconds = lease_seconds
        self.redis_ms: int | None = None
        """Redis's time at the last reading, in milliseconds; None before the first. No jump lies
        between it and the readings before, unless the clock spares all workers."""
        self.must_shorten_leases = True
        """Leases from before a jump back may last too long."""
        self.spared_until = 0.0
        """Monotonic time before which a silent worker may be alive."""
        self.delivery_lag_ends = 0.0
        """Monotonic time by which attempts from before the last jump have ended."""
        self._delivery_lag_ms = 0
        # Lease and heartbeats allow for two unnoticed jumps.
        self._jumps = ClockJumpDetector(tolerance=lease_seconds / 4, window=lease_seconds)

    @property
    def spares_silent_workers(self) -> bool:
        """True while a worker may be alive whose lease is over."""
        return time.monotonic() < self.spared_until

    @property
    def deliveries_ms(self) -> int | None:
        """Redis's time without jumps ahead that running attempts at deliveries have not seen."""
        if self.redis_ms is None or time.monotonic() >= self.delivery_lag_ends:
            return self.redis_ms
        return self.redis_ms - self._delivery_lag_ms

    def spare_workers(self, seconds: float | None = None) -> None:
        """Count no silent worker as dead for some seconds; None: for a lease."""
        spared = self.lease_seconds if seconds is None else seconds
        self.spared_until = max(self.spared_until, time.monotonic() + spared)

    def add(self, reading: ClockReading) -> None:
        """Take a reading, and draw the consequences of a jump."""
        if not self._jumps.has_reading:
            # The clock may just have jumped: every living worker beats once more within this time.
            self.spare_workers(self.lease_seconds / 2)
        comparison = self._jumps.compare(reading)
        self.redis_ms = round(reading.redis * 1000)
        if not comparison.is_steady:
            self.spare_workers()
        if comparison.jump:
            fix = "Let the host of Redis keep its time by NTP without steps"
            extra = {"seconds": round(comparison.jump, 3), "fix": fix}
            log.warning("Redis's clock jumped", extra=extra)
            self.must_shorten_leases = True
            self._postpone_deliveries(comparison.jump)

    def _postpone_deliveries(self, jump: float) -> None:
        """Let running attempts keep their whole lease although the clock jumped ahead."""
        now = time.monotonic()
        before_ms = self._delivery_lag_ms if now < self.delivery_lag_ends else 0
        self._delivery_lag_ms = max(0, before_ms + int(jump * 1000))
        self.delivery_lag_ends = now + DELIVERY_LEASE_MS / 1000
