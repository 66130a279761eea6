"""Revision 0005: tables with rows of 0004 keep them, and an older archiver goes on writing."""

from contextlib import closing
from pathlib import Path

from sqlalchemy import MetaData, Table, insert

from engine.executions.filter import EVERY_EXECUTION, ExecutionFilter
from engine.history.archiving.execution_writer import write_executions
from engine.history.database.connections import Database
from engine.history.migrations.migrate import migrate, migrate_to
from engine.history.migrations.revisions import newest_revision, revision_of
from engine.history.reading.execution_reads import read_page
from engine.history.transfer.load import loading
from tests.support.history.rows import rows

NEW = {"trace_id", "alias"}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADER = f"00-{TRACE}-00f067aa0ba902b7-01"


def listed(database: Database, wanted: ExecutionFilter) -> set[str]:
    """Return the ids of the executions of a list."""
    with database.read() as connection:
        page = read_page(connection, "acc_1", wanted, None, limit=9)
    return {each.execution.id for each in page.executions}


def test_rows_of_before_stay_and_older_archivers_go_on(tmp_path: Path) -> None:
    before, beside, after = rows(), rows(), rows(trace=HEADER)
    with closing(Database(f"sqlite:///{tmp_path}/old.sqlite")) as older:
        older.make_private()
        with older.write() as connection:
            migrate_to(older, connection, "0004")
            table = Table("executions", MetaData(), autoload_with=connection)
            known = {name: before.execution[name] for name in before.execution.keys() - NEW}
            connection.execute(insert(table), known)

        assert migrate(older) == revision_of(older) == newest_revision()
        with older.write() as connection:
            known = {name: beside.execution[name] for name in beside.execution.keys() - NEW}
            connection.execute(insert(table), known)
        write_executions(older, [after])

        ids = [each.execution["id"] for each in (before, beside, after)]
        assert listed(older, EVERY_EXECUTION) == {*ids}
        assert listed(older, ExecutionFilter(trace_id=TRACE)) == {ids[2]}


def test_a_backup_of_the_older_revision_is_loaded(tmp_path: Path) -> None:
    found = rows().execution
    execution = {name: value for name, value in found.items() if name not in NEW}
    with closing(Database(f"sqlite:///{tmp_path}/restored.sqlite")) as restored:
        with loading(restored, "0004") as loader:
            loader.load("executions", [*execution], [[*execution.values()]])

        assert revision_of(restored) == newest_revision()
        assert listed(restored, EVERY_EXECUTION) == {execution["id"]}
