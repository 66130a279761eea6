"""Places that a backup is restored into: an empty Redis, or an empty data directory."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from deploy.backup.local_server import serving_folder
from deploy.output.problems import CommandFailed
from deploy.stack.location import (
    DATABASE_URL,
    REDIS_URL,
    RESTORING,
    lock_data_dir,
    open_data_dir,
    read_private,
    write_private,
)
from deploy.stack.new_installation import record_marked
from engine.history.database.location import FILE_NAME

FOLDER = "redis"
DRAFT = "redis.restoring"
MADE = (FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm", f"{FILE_NAME}-journal")
"""Files that a restore makes in a data directory beside the folder of Redis."""


@contextmanager
def locked(data_dir: Path) -> Iterator[Path]:
    """Keep `headrace up` off a data directory, made if it is missing. Raises CommandFailed."""
    folder = open_data_dir(data_dir)
    lock = lock_data_dir(folder)
    try:
        yield folder
    finally:
        os.close(lock)


def has_redis(data_dir: Path) -> bool:
    """Return whether a data directory has the data of a Redis."""
    return _has_data(data_dir / FOLDER)


class DataDirectory:
    """Data directory during a restore, which `headrace up` refuses until the restore is over.

    What an interrupted restore has made in it is removed by the next one.
    """

    def __init__(self, data_dir: Path, environ: Mapping[str, str]) -> None:
        self._data_dir = data_dir
        self._redis_url = environ.get(REDIS_URL, "")
        self._has_database = not environ.get(DATABASE_URL)
        """Whether the history is in the directory too."""

    @property
    def shown(self) -> str:
        """Return the place of Redis for people, without a password."""
        return "HEADRACE_REDIS_URL" if self._redis_url else str(self._data_dir / FOLDER)

    def require_empty(self) -> None:
        """Remove what an interrupted restore has left. Raises CommandFailed for other data."""
        if read_private(self._data_dir / RESTORING):
            shutil.rmtree(self._data_dir / DRAFT, ignore_errors=True)
            for name in MADE:
                (self._data_dir / name).unlink(missing_ok=True)
        used = [FOLDER] if not self._redis_url else []
        used += [FILE_NAME] if self._has_database else []
        taken = [name for name in used if _has_data(self._data_dir / name)]
        if taken:
            raise CommandFailed(
                f"The data directory {self._data_dir} is not empty ({', '.join(taken)}): "
                "restore into an empty one."
            )

    @asynccontextmanager
    async def filling(self) -> AsyncIterator[str]:
        """Yield the address of an empty Redis; its data is in place when the context ends well."""
        write_private(self._data_dir / RESTORING, {"isRestoring": True})
        if self._redis_url:
            yield self._redis_url
        else:
            (self._data_dir / DRAFT).mkdir(mode=0o700)
            async with serving_folder(self._data_dir / DRAFT) as url:
                yield url
            self._put_in_place()
        record_marked(self._data_dir)
        (self._data_dir / RESTORING).unlink()

    def _put_in_place(self) -> None:
        with suppress(FileNotFoundError):
            (self._data_dir / FOLDER).rmdir()  # an empty one
        (self._data_dir / DRAFT).rename(self._data_dir / FOLDER)
        descriptor = os.open(self._data_dir, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _has_data(path: Path) -> bool:
    return any(path.iterdir()) if path.is_dir() else path.exists()
