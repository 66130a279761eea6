"""Place of the history's database in a data folder; apart from what needs the library of SQL."""

from pathlib import Path

SQLITE = "sqlite"
FILE_NAME = "history.sqlite"


def sqlite_url(data_dir: Path) -> str:
    """Return the URL of the database in a data folder."""
    return f"{SQLITE}:///{data_dir.resolve() / FILE_NAME}"
