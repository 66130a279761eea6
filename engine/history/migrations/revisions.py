"""Revisions of the history's tables, read without the library that migrates them."""

from sqlalchemy import Connection, column, inspect, select, table

from engine.history.database.connections import Database
from engine.history.database.identity import read_database_id
from engine.history.errors import HistoryUnavailable

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006")
"""Revisions in the order of `migrations/versions`; this version needs the last one."""
VERSION_TABLE = "alembic_version"


def check_database(database: Database) -> str:
    """Return the database's id. Raises HistoryUnavailable unless it has the tables it should have.

    A database of a newer version of Headrace is taken as it is.
    """
    revision = revision_of(database)
    if not revision or revision in REVISIONS[:-1]:
        raise HistoryUnavailable("its tables are missing or old: run `headrace migrate`")
    with database.read() as connection:
        return read_database_id(connection)


def newest_revision() -> str:
    """Return the revision that this version of Headrace needs."""
    return REVISIONS[-1]


def revision_of(database: Database) -> str:
    """Return the revision of the database, empty before the first. Raises HistoryUnavailable."""
    with database.read() as connection:
        return read_revision(connection)


def read_revision(connection: Connection) -> str:
    """Return the revision of the database, empty before the first."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return ""
    return (
        connection.execute(select(column("version_num")).select_from(table(VERSION_TABLE))).scalar()
        or ""
    )
