"""Duties of a leader: small bounded works, each with its interval and its lag."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from time import monotonic
from typing import ClassVar

from engine.errors import EngineError, StorageFailed
from engine.telemetry import metrics

log = logging.getLogger(__name__)


class Duty(ABC):
    """One kind of work of a leader.

    A run is bounded, so that it delays no other duty, and takes its part from all partitions of
    accounts, so that no account delays another.
    """

    name: ClassVar[str]
    interval_seconds: float = 0.0
    """Seconds from the end of a pass to the next; 0: with every tick."""
    is_slow: ClassVar[bool] = False
    """A run may wait for a bucket or a disk: it has a task of its own."""

    @abstractmethod
    async def run(self) -> bool:
        """Do the next part; return whether the pass goes on with the next tick."""


class ScheduledDuty:
    """A duty with the time at which it is due, and its lag."""

    def __init__(self, duty: Duty) -> None:
        self.duty = duty
        self._due_at = monotonic()
        self._pass_due_at = self._due_at
        """Time at which the pass was due that has not ended yet."""

    def is_due(self) -> bool:
        """Return whether the duty is to run now."""
        return monotonic() >= self._due_at

    async def run(self) -> None:
        """Run the duty once; after an error it is still due."""
        if not await self.duty.run():
            self._due_at = self._pass_due_at = monotonic() + self.duty.interval_seconds
        self.show_lag()

    async def attempt(self) -> None:
        """Run the duty once. A failure is logged and counted; the interval goes by before more."""
        if not await attempt(self.duty.name, self.run()):
            self._due_at = monotonic() + self.duty.interval_seconds
            self.show_lag()

    def show_lag(self) -> None:
        """Publish the seconds for which the pass has been due."""
        lag = max(0.0, monotonic() - self._pass_due_at)
        metrics.DUTY_LAG.labels(self.duty.name).set(lag)

    def rest(self) -> None:
        """Have no lag while another worker leads."""
        self._pass_due_at = max(self._pass_due_at, monotonic())
        metrics.DUTY_LAG.labels(self.duty.name).set(0.0)


async def attempt(name: str, work: Awaitable[None]) -> bool:
    """Do a work whose failure must stop no other: it is logged, and counted under the name.

    Returns whether the work was done.
    """
    try:
        await work
        return True
    except StorageFailed:
        pass  # it was logged at its place
    except EngineError as error:
        log.warning("cannot do a duty", extra={"duty": name, "reason": error.message})
    except Exception:
        log.exception("a duty failed unexpectedly", extra={"duty": name})
    metrics.SWEEPS_FAILED.labels(name).inc()
    return False
