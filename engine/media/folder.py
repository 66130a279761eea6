"""Files below a folder, reached without following links, so that no link leads out of it."""

import contextlib
import errno
import glob
import os
import shutil
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

FOLDER = os.O_RDONLY | os.O_DIRECTORY
NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC
NO_WAIT = os.O_NONBLOCK
"""Opening a pipe in the place of a file does not block; it is refused afterwards."""
READ_BYTES = 16_777_216
DRAFT = "#"
"""Sign in the names of unfinished files, between the key and a number."""


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


def flush_file(folder: Path, path: Path) -> None:
    """Flush a file and the folders on its path to the disk. Raises OSError."""
    # A new folder is durable once its parent is flushed.
    within = len(path.relative_to(folder).parts)
    for each in (path, *path.parents[:within]):
        descriptor = os.open(each, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_file(folder: Path, key: str, max_bytes: int | None) -> bytes:
    """Return up to `max_bytes` of a file. Raises OSError; FileNotFoundError for a missing one."""
    try:
        file = open_file(folder, key)
    except FileNotFoundError:
        if not folder.is_dir():  # a missing volume is no missing file
            raise NotADirectoryError(errno.ENOTDIR, "The folder is not there") from None
        raise
    pieces, at = [], 0
    end = sys.maxsize if max_bytes is None else max_bytes
    while piece := file.read(at, min(READ_BYTES, end - at)):
        pieces.append(piece)
        at += len(piece)
    return b"".join(pieces)


def remove_folder(folder: Path, prefix: str) -> None:
    """Delete a folder with its drafts, if it exists."""
    check_path(folder, prefix)
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder / prefix)


def list_keys(folder: Path, prefix: str) -> Iterator[str]:
    """Yield the files below a folder as keys, drafts included."""
    for place, _, names in os.walk(folder / prefix):
        for name in names:
            yield (Path(place) / name).relative_to(folder).as_posix()


def list_sizes(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield the files below a folder as keys with their bytes, without drafts."""
    for key in list_keys(folder, ""):
        with contextlib.suppress(FileNotFoundError):  # it was removed meanwhile
            if DRAFT not in key:
                yield key, (folder / key).lstat().st_size


def remove_drafts(folder: Path, keys: Sequence[str]) -> None:
    """Delete the drafts of killed writers, whose names are the key, '#' and a number."""
    for key in keys:
        for draft in folder.glob(f"{glob.escape(key)}#*"):
            draft.unlink(missing_ok=True)


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
