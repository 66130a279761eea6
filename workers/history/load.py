"""Load of the machine by others than this process, from the counters of Linux."""

import os
import time
from pathlib import Path

STAT = Path("/proc/stat")
IDLE_FIELDS = slice(3, 5)
"""Positions of the idle times in the first line of the counters: idle, and waiting for a disk."""


class OtherLoad:
    """Share of the machine's processors that others have used since the last reading.

    It is a share of the time that this process has left to others: the time that this process uses
    says nothing about their idleness.
    """

    def __init__(self, stat: Path = STAT) -> None:
        self._stat = stat
        self._ticks = os.sysconf("SC_CLK_TCK")
        self._last = self._read()

    def share(self) -> float:
        """Return the share from 0 to 1; 0 where the counters are not there."""
        before, self._last = self._last, self._read()
        total, busy, own = (now - then for now, then in zip(self._last, before, strict=True))
        left = total - own
        return 0.0 if left <= 0 else min(1.0, max(0.0, (busy - own) / left))

    def _read(self) -> tuple[float, float, float]:
        """Return the seconds of all processors, the busy ones, and those of this process."""
        try:
            words = self._stat.read_text().split("\n", 1)[0].split()[1:9]
        except OSError:
            return 0.0, 0.0, 0.0
        times = [int(word) / self._ticks for word in words]
        return sum(times), sum(times) - sum(times[IDLE_FIELDS]), time.process_time()
