"""Revision 0002: tables with rows of 0001 keep them, and an older archiver goes on writing."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, MetaData, Table, insert

from engine.executions.filter import EVERY_EXECUTION, ExecutionFilter
from engine.history.archiving.execution_rows import ExecutionRows
from engine.history.archiving.execution_writer import write_missing_tags
from engine.history.database.connections import Database
from engine.history.migrations.migrate import migrate, migrate_to
from engine.history.migrations.revisions import newest_revision, revision_of
from engine.history.reading.execution_reads import read_page
from engine.history.schema import metadata
from engine.history.transfer.load import loading
from tests.support.history.databases import create_database, server_of_run
from tests.support.history.rows import rows

NEW = {"tags", "batch_id", "item", "trigger_id", "occurrence_id", "trace_id", "alias"}
"""Columns that an archiver of 0.1.0 does not know."""


@pytest.fixture(params=["sqlite", "postgresql"])
def older(request: pytest.FixtureRequest, tmp_path: Path, testrun_uid: str) -> Iterator[Database]:
    """A database at revision 0001."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/old.sqlite"
    else:
        request.getfixturevalue("postgresql_url")
        server = server_of_run(testrun_uid)
        name = f"old_{abs(hash(tmp_path))}"
        create_database(server.get_uri(), name)
        url = server.get_uri(database=name)
    with closing(Database(url)) as made:
        made.make_private()
        with made.write() as connection:
            migrate_to(made, connection, "0001")
        yield made


def write_as_before(database: Database, found: ExecutionRows) -> None:
    """Write an execution as an archiver of 0.1.0 does, which knows the columns of 0001."""
    execution = {name: value for name, value in found.execution.items() if name not in NEW}
    with database.write() as connection:
        connection.execute(insert(_reflected(connection, "executions")), execution)
        connection.execute(insert(_reflected(connection, "execution_records")), found.record)


def _reflected(connection: Connection, name: str) -> Table:
    return Table(name, MetaData(), autoload_with=connection)


def listed(database: Database, wanted: ExecutionFilter) -> dict[str, tuple[str, ...]]:
    """Return the tags of the executions of a list by id."""
    with database.read() as connection:
        page = read_page(connection, "acc_1", wanted, None, limit=9)
    return {each.execution.id: each.execution.tags for each in page.executions}


def test_rows_of_before_stay_and_older_archivers_go_on(older: Database) -> None:
    before, beside = rows(), rows(tags="nightly")
    write_as_before(older, before)

    assert migrate(older) == revision_of(older) == newest_revision()
    write_as_before(older, beside)

    ids = [each.execution["id"] for each in (before, beside)]
    assert listed(older, EVERY_EXECUTION) == dict.fromkeys(ids, ())
    assert listed(older, ExecutionFilter(tags=["nightly"])) == {}
    write_missing_tags(older, {("acc_1", ids[1]): ["nightly"]})
    assert listed(older, ExecutionFilter(tags=["nightly"])) == {ids[1]: ("nightly",)}


def test_a_backup_of_the_older_revision_is_loaded(older: Database, tmp_path: Path) -> None:
    found = rows()
    execution = {name: value for name, value in found.execution.items() if name not in NEW}
    with closing(Database(f"sqlite:///{tmp_path}/restored.sqlite")) as restored:
        with loading(restored, "0001") as loader:
            loader.load("executions", [*execution], [[*execution.values()]])

        assert revision_of(restored) == newest_revision()
        assert listed(restored, EVERY_EXECUTION) == {execution["id"]: ()}
    assert {"execution_tags", "batches"} <= set(metadata.tables)
