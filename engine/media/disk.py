"""Free space of a media folder's file system, and a guard that preserves a part of it."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import StorageFailed

CHECK_SECONDS = 1.0
LARGEST_SHARE = 4
"""At most one n-th of a file system is preserved, however large the setting is."""
NO_ROOM = "There is no room left to store media and large outputs"
FIX = "Make space for HEADRACE_MEDIA_URL, or shorten HEADRACE_ASSET_RETENTION_DAYS"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """Free bytes of a file system, and those to preserve."""

    free_bytes: int
    kept_bytes: int


def measure_disk(folder: Path, kept_bytes: int) -> Disk:
    """Return the disk of an existing or future folder. Raises OSError, and may block."""
    statistics = os.statvfs(next(place for place in (folder, *folder.parents) if place.exists()))
    return Disk(
        free_bytes=statistics.f_bavail * statistics.f_frsize,
        kept_bytes=min(kept_bytes, statistics.f_blocks * statistics.f_frsize // LARGEST_SHARE),
    )


class DiskGuard:
    """Refuses writes that would use the preserved space.

    It measures the disk at most once a second, and subtracts the bytes admitted since.
    """

    def __init__(self, measure: Callable[[], Awaitable[Disk]]) -> None:
        self._measure = measure
        self._lock = asyncio.Lock()
        self._due = 0.0
        self._left = 0

    async def admit(self, size: int) -> None:
        """Admit a write of `size` bytes. Raises StorageFailed, or the error of `measure`."""
        now = asyncio.get_running_loop().time()
        async with self._lock:
            if now >= self._due:
                await self._refresh()
                self._due = now + CHECK_SECONDS
        if size > self._left:
            raise StorageFailed(NO_ROOM)
        self._left -= size

    async def _refresh(self) -> None:
        disk = await self._measure()
        self._left = disk.free_bytes - disk.kept_bytes
        if self._left <= 0:
            extra = {"free_bytes": disk.free_bytes, "fix": FIX}
            log.error("no room is left for media", extra=extra)
