"""Revision 0003: tables with rows of 0002 keep them, and an older archiver goes on writing."""

from contextlib import closing
from pathlib import Path

from sqlalchemy import MetaData, Table, insert

from engine.executions.filter import EVERY_EXECUTION
from engine.history.archiving.execution_rows import ExecutionRows, Row
from engine.history.archiving.execution_writer import write_executions
from engine.history.database.connections import Database
from engine.history.migrations.migrate import migrate, migrate_to
from engine.history.migrations.revisions import newest_revision, revision_of
from engine.history.reading.execution_reads import read_heads, read_page
from tests.support.history.rows import child_rows, rows

NEW = {"trigger_id", "occurrence_id", "trace_id", "alias"}
"""Columns that an archiver of revision 0003 does not know."""


def known_columns(found: ExecutionRows) -> Row:
    """Return the row of an execution as such an archiver writes it."""
    return {name: value for name, value in found.execution.items() if name not in NEW}


def test_rows_of_before_stay_and_older_archivers_go_on(tmp_path: Path) -> None:
    before, beside, child = rows(), rows(), child_rows()
    with closing(Database(f"sqlite:///{tmp_path}/old.sqlite")) as older:
        older.make_private()
        with older.write() as connection:
            migrate_to(older, connection, "0002")
            table = Table("executions", MetaData(), autoload_with=connection)
            connection.execute(insert(table), known_columns(before))

        assert migrate(older) == revision_of(older) == newest_revision()
        with older.write() as connection:
            connection.execute(insert(table), known_columns(beside))
        write_executions(older, [child])

        with older.read() as connection:
            page = read_page(connection, "acc_1", EVERY_EXECUTION, None, limit=9)
            heads = read_heads(connection, "acc_1", [child.execution["id"]])
    ids = {each.execution.id for each in page.executions}
    assert ids == {before.execution["id"], beside.execution["id"]}
    assert [each.execution.id for each in heads] == [child.execution["id"]]
