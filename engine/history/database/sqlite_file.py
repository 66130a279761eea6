"""File of a database of SQLite, which others may remove or replace while it is in use."""

from pathlib import Path
from urllib.parse import unquote

from engine.history.database.location import SQLITE
from engine.history.errors import HistoryUnavailable

MISSING = "its file is missing: run `headrace migrate`, or put it back"
STALE_JOURNAL = (
    "its file was replaced beside the journal of the file before: stop all parts and remove "
    "{path}-wal and {path}-shm"
)

FileId = tuple[int, int]
"""Device and inode."""


class SqliteFile:
    """Notices that a path leads to another file than at the last look.

    An open connection keeps the file that it has opened, and would write to one without a path.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: FileId | None = None
        self._journal: FileId | None = None

    @classmethod
    def from_url(cls, url: str) -> "SqliteFile | None":
        """Return the file that a URL names; None for another database, and for one in memory."""
        scheme, _, path = url.partition(":///")
        path = unquote(path.partition("?")[0])
        if scheme.partition("+")[0] != SQLITE or path in ("", ":memory:"):
            return None
        return None if path.startswith("file:") else cls(Path(path))

    @property
    def path(self) -> Path:
        """Path of the file."""
        return self._path

    def is_replaced(self) -> bool:
        """Return whether it is another file than at the last look.

        Raises HistoryUnavailable when there is none, and when a new one lies beside the journal of
        the file before, which SQLite would take for the new one's.
        """
        file = _file_id(self._path)
        if file is None:
            raise HistoryUnavailable(MISSING)
        journal = _file_id(self._path.with_name(self._path.name + "-wal"))
        before = self._file
        if before not in (None, file) and journal is not None and journal == self._journal:
            raise HistoryUnavailable(STALE_JOURNAL.format(path=self._path))
        self._file, self._journal = file, journal
        return before not in (None, file)


def _file_id(path: Path) -> FileId | None:
    """Return the id of a file that has bytes, or is no journal; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    if not status.st_size and path.name.endswith("-wal"):
        return None
    return status.st_dev, status.st_ino
