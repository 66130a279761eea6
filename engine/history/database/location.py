"""Place of the history's database in a data folder, without the library of SQL."""

from importlib.util import find_spec
from pathlib import Path

from engine.process.extras import install_hint
from engine.settings import SettingError

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
SCHEMES = (SQLITE, "postgres", POSTGRESQL)
DRIVER = "psycopg"
POOL_SIZE = 8
FILE_NAME = "history.sqlite"
WRONG_URL = "HEADRACE_DATABASE_URL must begin with sqlite:/// or postgresql://"


def check_url(url: str) -> None:
    """Raise SettingError for a URL of another kind of database, or without its driver."""
    scheme = url.partition("://")[0].partition("+")[0]
    if scheme not in SCHEMES:
        raise SettingError(WRONG_URL)
    if scheme != SQLITE and find_spec(DRIVER) is None:
        raise SettingError(without_driver())


def without_driver() -> str:
    """Return the sentence for a PostgreSQL whose driver is not installed."""
    hint = install_hint("postgres")
    return f"HEADRACE_DATABASE_URL names PostgreSQL, whose driver is missing: {hint}"


def sqlite_url(data_dir: Path) -> str:
    """Return the URL of the database in a data folder."""
    return f"{SQLITE}:///{data_dir.resolve() / FILE_NAME}"
