"""Access to files below a folder without following links, so that no link leads out of it."""

import errno
import os
import stat
from pathlib import Path

FOLDER = os.O_RDONLY | os.O_DIRECTORY
NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC
NO_WAIT = os.O_NONBLOCK
"""Opening a pipe in the place of a file does not block; it is refused afterwards."""


class OpenFile:
    """Open file, unaffected by a later rename or removal; closed with its last reference."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __del__(self) -> None:
        os.close(self._descriptor)

    def read(self, at: int, size: int) -> bytes:
        """Read up to `size` bytes from position `at`. Raises OSError."""
        return os.pread(self._descriptor, size, at)


def open_file(folder: Path, key: str) -> OpenFile:
    """Open a file by its path below the folder.

    Raises OSError; FileNotFoundError also for links and for everything that is no regular file.
    """
    *names, last = key.split("/")
    place = _open_folder(folder, names)
    try:
        descriptor = _open(last, os.O_RDONLY | NO_WAIT, place)
    finally:
        os.close(place)
    opened = OpenFile(descriptor)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise _not_found(key)
    return opened


def check_path(folder: Path, key: str) -> None:
    """Check that no folder on the path of a file to write is a link. Raises OSError."""
    try:
        os.close(_open_folder(folder, key.split("/")[:-1]))
    except FileNotFoundError:
        if any(path.is_symlink() for path in _ancestors(folder, key)):
            raise OSError(errno.ELOOP, "A link is in the place of a folder") from None


def _ancestors(folder: Path, key: str) -> list[Path]:
    parts = key.split("/")[:-1]
    return [folder.joinpath(*parts[: count + 1]) for count in range(len(parts))]


def _open_folder(folder: Path, names: list[str]) -> int:
    place = os.open(folder, FOLDER | os.O_CLOEXEC)
    for name in names:
        try:
            below = _open(name, FOLDER, place)
        finally:
            os.close(place)
        place = below
    return place


def _open(name: str, flags: int, place: int) -> int:
    if name in ("", ".", "..") or "\0" in name:
        raise _not_found(name)
    try:
        return os.open(name, flags | NO_LINK, dir_fd=place)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ENXIO):
            raise _not_found(name) from None
        raise


def _not_found(name: str) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, "There is no such file", name)
