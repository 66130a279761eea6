"""All rows of a history as they are at one moment."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from sqlalchemy import select

from engine.history.database.connections import Database
from engine.history.database.identity import read_database_id
from engine.history.errors import HistoryUnavailable
from engine.history.migrations.revisions import newest_revision, read_revision
from engine.history.schema import metadata

ROWS_AT_ONCE = 200
"""Rows that are in memory together."""


class FrozenHistory:
    """History without writers: nothing is archived meanwhile, so Redis forgets no execution.

    A snapshot of Redis that is made before `thaw` and these rows are complete together. Executions
    that Redis had not forgotten yet are in both.
    """

    def __init__(self, database: Database, kept: ExitStack, frozen: ExitStack) -> None:
        frozen.enter_context(database.write())
        self._frozen = frozen
        self._connection = kept.enter_context(database.read(is_fresh=True))
        self.revision = read_revision(self._connection)
        if self.revision != newest_revision():
            raise HistoryUnavailable(
                f"its tables are those of another version of Headrace ({self.revision or 'none'}): "
                "run `headrace migrate`, or install that version"
            )
        self.database_id = read_database_id(self._connection)

    def thaw(self) -> None:
        """Let others write again; the rows here stay those of the moment of the freezing."""
        self._frozen.close()

    @property
    def tables(self) -> Sequence[str]:
        """Return the names of the tables."""
        return list(map(str, metadata.tables))

    def columns(self, table: str) -> Sequence[str]:
        """Return the names of a table's columns."""
        return [str(column.name) for column in metadata.tables[table].columns]

    def rows(self, table: str) -> Iterator[Sequence[Any]]:
        """Yield the rows of a table. Raises HistoryUnavailable."""
        options = {"stream_results": True, "yield_per": ROWS_AT_ONCE}
        result = self._connection.execute(select(metadata.tables[table]), execution_options=options)
        for row in result:
            yield list(row)


@contextmanager
def freeze(database: Database) -> Iterator[FrozenHistory]:
    """Keep other writers out of a database until `thaw`. Raises HistoryUnavailable."""
    with ExitStack() as kept, ExitStack() as frozen:
        yield FrozenHistory(database, kept, frozen)
