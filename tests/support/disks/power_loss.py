"""Files that a server leaves behind when its machine loses its power."""

import bisect
import contextlib
import random
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.acceptance.truncated_redis import CutRedis

LOOK_SECONDS = 0.005
TORN_SECONDS = 0.05
"""Time in which the write goes on that the loss of power tears."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerLoss:
    """One moment at which the power is lost, by the monotonic clock, and what the file has then."""

    moment: float
    synced: int
    """Bytes that are on the disk for sure."""
    written: int

    def draw_length(self, draw: random.Random) -> int:
        """Return a length that the file may have when the power is back."""
        return draw.randint(self.synced, self.written)


class DiskWatch:
    """Notes how long a server's file is.

    `lag`: seconds until a write is on the disk for sure: 2 with `appendfsync everysec`, 0 with
    `always`, where it is there before its answer.
    """

    def __init__(self, server: CutRedis, lag: float) -> None:
        self._server = server
        self._lag = lag
        self._stopping = threading.Event()
        self._looks: list[tuple[float, int]] = []
        self._thread = threading.Thread(target=self._look)

    @contextlib.contextmanager
    def all_the_while(self) -> Iterator["DiskWatch"]:
        self._thread.start()
        try:
            yield self
        finally:
            self._stopping.set()
            self._thread.join()

    def _look(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            length = self._server.length
            self._looks.append((time.monotonic(), length))

    def _length_at(self, moment: float) -> int:
        return self._looks[bisect.bisect_left(self._looks, (moment, 0))][1]

    def draw_loss(self, draw: random.Random, after: float) -> PowerLoss:
        """Return a loss of power at a random moment after this one."""
        moment = draw.uniform(after, self._looks[-1][0] - TORN_SECONDS)
        return PowerLoss(
            moment=moment,
            synced=self._length_at(moment - self._lag),
            written=self._length_at(moment + TORN_SECONDS),
        )


def leave_behind(server: CutRedis, length: int, folder: Path) -> None:
    """Copy the data of a server into a folder, with the growing file cut to this length."""
    shutil.copytree(server.folder / "appendonlydir", folder / "appendonlydir")
    with (folder / "appendonlydir" / server.file.name).open("r+b") as file:
        file.truncate(length)
