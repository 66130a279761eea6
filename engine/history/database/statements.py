"""Statements in the dialects of both databases."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from engine.history.database.location import SQLITE

T = TypeVar("T")
AT_ONCE = 500
"""Rows that one query looks up."""


def in_batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield the items in parts that one query may name."""
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]


def upsert(connection: Connection, table: Table, *, newer: str = "") -> Any:
    """Return an insert that replaces the row with the same primary key.

    `newer` is a column by which a row is replaced only by one with a higher value.
    """
    make = sqlite.insert if connection.dialect.name == SQLITE else postgresql.insert
    statement = make(table)
    changed = {
        column.name: statement.excluded[column.name]
        for column in table.columns
        if not column.primary_key
    }
    where = statement.excluded[newer] > table.c[newer] if newer else None
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key), set_=changed, where=where
    )


def insert_new(connection: Connection, table: Table) -> Any:
    """Return an insert that leaves an existing row as it is."""
    make = sqlite.insert if connection.dialect.name == SQLITE else postgresql.insert
    return make(table).on_conflict_do_nothing(index_elements=list(table.primary_key))
