"""Id of a database: an installation keeps to the one that has its history."""

from sqlalchemy import Connection, select

from engine.history.errors import HistoryUnavailable
from engine.history.schema import archive_state
from engine.store.archive.state import ANOTHER_DATABASE

DATABASE_ID = "database"
"""Name of the id in the facts about the archive."""


def read_database_id(connection: Connection) -> str:
    """Return the id that the database got with its first migration, empty without one."""
    query = select(archive_state.c.value).where(archive_state.c.name == DATABASE_ID)
    return str(connection.execute(query).scalar() or "")


def require_database(connection: Connection, expected: str) -> None:
    """Raise HistoryUnavailable unless the database has this id."""
    if read_database_id(connection) != expected:
        raise HistoryUnavailable(ANOTHER_DATABASE)
