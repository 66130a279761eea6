"""Memory and open files of processes over time."""

import contextlib
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

WINDOWS = 40
"""Stretches of which each gives one value to a slope."""


def resident_megabytes(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def descendants(pid: int) -> Iterator[tuple[int, str]]:
    """Yield the processes below a process, each with its command line."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, task.read_text().split()):
                with contextlib.suppress(OSError):
                    line = Path(f"/proc/{child}/cmdline").read_bytes()
                    yield child, line.replace(b"\0", b" ").decode(errors="replace").strip()
                yield from descendants(child)


@dataclass
class Trace:
    """Memory and open files of one process at each sample."""

    name: str
    pid: int
    began: float = field(default_factory=time.monotonic)
    hours: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def look(self) -> None:
        """Sample the process. Raises OSError when it is gone."""
        megabytes, files = resident_megabytes(self.pid), open_files(self.pid)
        self.hours.append((time.monotonic() - self.began) / 3600)
        self.megabytes.append(megabytes)
        self.files.append(files)

    def growth(self, last_hours: float) -> float:
        """Return the growth in megabytes an hour within the last so many hours.

        It is the median of the slopes between all pairs of stretches, each with its least value:
        memory that comes and goes with single calls has no effect, and neither has a single step.
        """
        seen = [
            each
            for each in zip(self.hours, self.megabytes, strict=True)
            if each[0] >= self.hours[-1] - last_hours
        ]
        size = max(1, len(seen) // WINDOWS)
        parts = [seen[at : at + size] for at in range(0, len(seen), size)]
        lows = [min(part, key=lambda each: each[1]) for part in parts]
        return statistics.median(
            (late[1] - early[1]) / (late[0] - early[0]) for early, late in combinations(lows, 2)
        )

    @property
    def files_early(self) -> float:
        """Return the median of open files in the second quarter of the time."""
        quarter = len(self.files) // 4
        return statistics.median(self.files[quarter : 2 * quarter] or self.files)

    @property
    def files_late(self) -> float:
        """Return the median of open files in the last quarter of the time."""
        return statistics.median(self.files[-(len(self.files) // 4 or 1) :])


@dataclass
class Footprint:
    """Traces of processes."""

    traces: list[Trace]

    def look(self) -> None:
        """Sample every process that is still there."""
        for trace in self.traces:
            with contextlib.suppress(OSError):
                trace.look()
