"""How much a folder's file system has left, of which others have need as well."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import StorageFailed

LOOK_SECONDS = 1.0
LARGEST_SHARE = 4
"""No more than one part of so many of a file system stays free, however small it is."""
NO_ROOM = "There is no room left to store media and large outputs"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """What is free, and what of it is to stay free, in bytes."""

    free_bytes: int
    kept_bytes: int


def look(folder: Path, kept_bytes: int) -> Disk:
    """The disk on which a folder is, or would be made. Raises OSError, and may block."""
    found = os.statvfs(next(place for place in (folder, *folder.parents) if place.exists()))
    return Disk(
        free_bytes=found.f_bavail * found.f_frsize,
        kept_bytes=min(kept_bytes, found.f_blocks * found.f_frsize // LARGEST_SHARE),
    )


class DiskGuard:
    """Refuses what would take of the room that is to stay free.

    It looks once a second at most, and reckons with what it has let pass since.
    """

    def __init__(self, see: Callable[[], Awaitable[Disk]]) -> None:
        self._see = see
        self._turn = asyncio.Lock()
        self._due = 0.0
        self._left = 0

    async def take(self, size: int) -> None:
        """Let so many bytes pass. Raises StorageFailed, or what looking fails with."""
        now = asyncio.get_running_loop().time()
        async with self._turn:
            if now >= self._due:
                await self._look()
                self._due = now + LOOK_SECONDS
        if size > self._left:
            raise StorageFailed(NO_ROOM)
        self._left -= size

    async def _look(self) -> None:
        disk = await self._see()
        self._left = disk.free_bytes - disk.kept_bytes
        if self._left <= 0:
            log.error("no room is left for media", extra={"free_bytes": disk.free_bytes})
