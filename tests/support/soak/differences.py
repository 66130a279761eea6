"""Differences between what callers were told and what is on record, each with its name."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

LAG_SECONDS = 1.0
"""Time by which replicas may be behind on a busy machine, and answers may reach callers late."""
REST_SECONDS = 30.0
"""Time after a failover in which runs that it set back are begun, walked and told again."""
LOST, DOUBLED, OTHER = "lost", "doubled", "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference. `kind`: lost, doubled or other."""

    kind: str
    place: str
    """Caller, remote, Redis, history, ledger, webhook, leftover or log."""
    text: str
    is_by_failover: bool
    """Whether a failover, which loses what replicas do not have yet, explains it."""

    def __str__(self) -> str:
        cause = " (by a failover)" if self.is_by_failover else ""
        return f"{self.place}, {self.kind}{cause}: {self.text}"


@dataclass
class Differences:
    """All differences of a session, and the failovers that explain some."""

    failovers: list[tuple[float, float]] = field(default_factory=list)
    """Times of the monotonic clock from the beginning of each to the end of the old primary."""
    found: list[Difference] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    began_at: float = field(default_factory=time.time)
    """The same moment of the machine's wall clock, which the logs have."""

    def after(self, moment: float) -> str:
        """Return a time of the monotonic clock as texts show it: from the beginning of the load."""
        return f"{moment - self.began:.1f} s"

    def of_wall(self, moment: float) -> float:
        """Return a time of the wall clock by the monotonic one."""
        return self.began + moment - self.began_at

    def begin(self) -> None:
        """Note that the load begins."""
        self.began, self.began_at = time.monotonic(), time.time()

    @contextmanager
    def failing_over(self) -> Iterator[None]:
        """Note a failover from here to the end of the context."""
        number, began = len(self.failovers), time.monotonic()
        self.failovers.append((began, float("inf")))
        try:
            yield
        finally:
            self.failovers[number] = began, time.monotonic()

    def lost_moment(self, moment: float) -> bool:
        """Return whether what was written at a moment may be lost by a failover."""
        return self.touches(moment, moment)

    def touches(self, began: float, ended: float, rest: float = 0.0) -> bool:
        """Return whether a failover fell into a time, or began up to `rest` seconds after it."""
        return any(
            first - LAG_SECONDS <= ended and began <= last + LAG_SECONDS + rest
            for first, last in self.failovers
        )

    def note(self, kind: str, place: str, text: str, *, is_by_failover: bool = False) -> None:
        """Keep a difference."""
        self.found.append(
            Difference(kind=kind, place=place, text=text, is_by_failover=is_by_failover)
        )

    @property
    def unexplained(self) -> list[Difference]:
        return [each for each in self.found if not each.is_by_failover]

    def count(self, kind: str) -> int:
        """Return the number of differences of a kind that no failover explains."""
        return sum(each.kind == kind for each in self.unexplained)

    def by_failovers(self) -> Counter[str]:
        """Return the numbers of explained differences by kind."""
        return Counter(each.kind for each in self.found if each.is_by_failover)
