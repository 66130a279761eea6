"""Memory and open files of a stack's processes over time."""

import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.acceptance.running_stack import RunningStack

PARTS = ("gateway", "worker", "redis")
WINDOWS = 8


def resident_megabytes(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@dataclass
class Trace:
    """Memory and open files of one process at each sample."""

    name: str
    pid: int
    hours: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def look(self, hours: float) -> None:
        self.hours.append(hours)
        self.megabytes.append(resident_megabytes(self.pid))
        self.files.append(open_files(self.pid))

    def growth(self, after: float) -> float:
        """Return the growth in megabytes an hour after this fraction of the time.

        It is the slope of a line through the minima of successive stretches: memory that comes and
        goes with single calls has no effect.
        """
        seen = list(zip(self.hours, self.megabytes, strict=True))
        parts = _parts(seen[int(len(seen) * after) :])
        lows = [min(part, key=lambda each: each[1]) for part in parts]
        return statistics.linear_regression(*zip(*lows, strict=True)).slope

    @property
    def files_early(self) -> float:
        """Return the median of open files in the second quarter of the time."""
        quarter = len(self.files) // 4
        return statistics.median(self.files[quarter : 2 * quarter] or self.files)

    @property
    def files_late(self) -> float:
        """Return the median of open files in the last quarter of the time."""
        return statistics.median(self.files[-(len(self.files) // 4 or 1) :])


def _parts(seen: Sequence[tuple[float, float]]) -> list[Sequence[tuple[float, float]]]:
    size = max(1, len(seen) // WINDOWS)
    return [seen[at : at + size] for at in range(0, len(seen), size)]


class Footprint:
    """Traces of all processes of a stack."""

    def __init__(self, stack: RunningStack) -> None:
        self._began = time.monotonic()
        self.traces = [
            Trace(f"{kind} {number}", pid)
            for kind in PARTS
            for number, pid in enumerate(stack.part(kind), 1)
        ]

    def look(self) -> float:
        """Sample every process; return the hours since the beginning."""
        hours = (time.monotonic() - self._began) / 3600
        for trace in self.traces:
            trace.look(hours)
        return hours
