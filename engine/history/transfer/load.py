"""Filling of an empty database with the rows of another one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sqlalchemy import Connection, MetaData, Table, delete, insert, inspect, select

from engine.history.database.connections import Database
from engine.history.errors import HistoryUnavailable
from engine.history.migrations.migrate import migrate_to
from engine.history.migrations.revisions import REVISIONS, read_revision
from engine.history.schema import archive_state, metadata

ROWS_AT_ONCE = 200
NEWEST = "head"


class HistoryLoader:
    """Writes rows in one transaction: a database has all of them or none."""

    def __init__(self, connection: Connection, tables: Mapping[str, Table]) -> None:
        self._connection = connection
        self._tables = tables

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
        """Write the rows of a table; return their number. Raises HistoryUnavailable."""
        found = self._tables.get(table)
        if found is None or set(columns) - set(found.columns.keys()):
            raise HistoryUnavailable(f"the backup has a table {table} that is not of its version")
        count, rest = 0, iter(rows)
        while part := [dict(zip(columns, row, strict=True)) for row in islice(rest, ROWS_AT_ONCE)]:
            self._connection.execute(insert(found), part)
            count += len(part)
        return count


def require_empty(database: Database) -> None:
    """Raise HistoryUnavailable if the database has a history or cannot be used."""
    database.make_private()
    with database.read(is_fresh=True) as connection:
        _require_empty(connection)


@contextmanager
def loading(database: Database, revision: str) -> Iterator[HistoryLoader]:
    """Make the tables of a revision, take rows for them, and bring both to this version.

    Raises HistoryUnavailable, also when the database is not empty.
    """
    if revision not in REVISIONS:
        raise HistoryUnavailable(f"the backup has tables of a newer Headrace ({revision})")
    database.make_private()
    with database.write() as connection:
        _require_empty(connection)
        if read_revision(connection) not in ("", revision):
            raise HistoryUnavailable("it has tables of another version: name an empty database")
        migrate_to(database, connection, revision)
        connection.execute(delete(archive_state))  # the id of the database is that of the backup
        found = MetaData()
        found.reflect(connection, only=lambda name, _: name in metadata.tables)
        yield HistoryLoader(connection, found.tables)
        migrate_to(database, connection, NEWEST)


def _require_empty(connection: Connection) -> None:
    there = set(inspect(connection).get_table_names())
    for table in metadata.sorted_tables:
        if table.name not in there or table is archive_state:
            continue
        column = next(iter(table.primary_key))
        if connection.execute(select(column).limit(1)).first() is not None:
            raise HistoryUnavailable(f"it is not empty: {table.name} has rows")
