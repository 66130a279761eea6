"""Id and encoding of a database: an installation keeps to the one that has its history."""

from typing import Any

from sqlalchemy import Connection, select

from engine.history.errors import HistoryUnavailable
from engine.history.schema import archive_state
from engine.store.archive.state import ANOTHER_DATABASE

DATABASE_ID = "database"
"""Name of the id in the facts about the archive."""
WITHOUT_ENCODING = "SQL_ASCII"
WRONG_ENCODING = (
    "its encoding is SQL_ASCII, which says nothing of texts: make a database with UTF8, by "
    "`createdb --encoding=UTF8 --template=template0 NAME`, and name it in HEADRACE_DATABASE_URL"
)


def require_encoding(raw: Any) -> None:
    """Raise HistoryUnavailable for a connection to a database of PostgreSQL without an encoding.

    Its driver would return bytes for texts.
    """
    if raw.info.parameter_status("server_encoding") == WITHOUT_ENCODING:
        raise HistoryUnavailable(WRONG_ENCODING)


def read_database_id(connection: Connection) -> str:
    """Return the id that the database got with its first migration, empty without one."""
    query = select(archive_state.c.value).where(archive_state.c.name == DATABASE_ID)
    return str(connection.execute(query).scalar() or "")


def require_database(connection: Connection, expected: str) -> None:
    """Raise HistoryUnavailable unless the database has this id."""
    if read_database_id(connection) != expected:
        raise HistoryUnavailable(ANOTHER_DATABASE)
