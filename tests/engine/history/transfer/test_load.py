"""The rows of a history in another database, of the same kind or of the other one."""

import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.history.archiving.execution_writer import write_executions
from engine.history.archiving.occurrences import write_occurrences
from engine.history.database.connections import Database
from engine.history.errors import HistoryUnavailable
from engine.history.migrations.migrate import migrate
from engine.history.migrations.revisions import newest_revision, revision_of
from engine.history.schema import metadata
from engine.history.transfer.export import freeze
from engine.history.transfer.load import loading, require_empty
from tests.support.history.databases import create_database, server_of_run
from tests.support.history.rows import MONDAY, rows
from tests.support.triggers.occurrences import occurrence

COUNT = 700


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without tables."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/new.sqlite"
    else:
        request.getfixturevalue("postgresql_url")
        server = server_of_run(os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid())))
        name = f"new_{abs(hash(tmp_path))}"
        create_database(server.get_uri(), name)
        url = server.get_uri(database=name)
    with closing(Database(url)) as made:
        yield made


@contextmanager
def refused(reason: str) -> Iterator[None]:
    with pytest.raises(HistoryUnavailable) as caught:
        yield
    assert re.search(reason, caught.value.reason)


def contents(database: Database) -> dict[str, list[Any]]:
    with database.read() as connection:
        return {
            name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for name, table in metadata.tables.items()
        }


def copy(source: Database, target: Database) -> None:
    with freeze(source) as history, loading(target, history.revision) as loader:
        for table in history.tables:
            loader.load(table, history.columns(table), history.rows(table))


def fill(database: Database, count: int = COUNT) -> None:
    write_executions(database, [rows(at=MONDAY + n, has_objects=n % 2 == 0) for n in range(count)])
    write_occurrences(database, [("acc_1", occurrence(MONDAY + n)) for n in range(count)])


def test_all_rows_are_in_the_other_database_with_the_id_of_the_first(
    database: Database, target: Database
) -> None:
    fill(database)

    copy(database, target)

    assert contents(target) == contents(database)
    assert len(contents(target)["executions"]) == len(contents(target)["occurrences"]) == COUNT
    assert revision_of(target) == newest_revision()


def test_a_migrated_database_without_rows_takes_the_id_of_the_backup(
    database: Database, target: Database
) -> None:
    migrate(target)
    fill(database, 1)

    copy(database, target)

    assert contents(target) == contents(database)


def test_a_load_that_fails_leaves_an_empty_database(database: Database, target: Database) -> None:
    fill(database, 3)
    with (
        pytest.raises(RuntimeError, match="killed"),
        freeze(database) as history,
        loading(target, history.revision) as loader,
    ):
        loader.load("executions", history.columns("executions"), history.rows("executions"))
        raise RuntimeError("killed")

    require_empty(target)
    copy(database, target)
    assert contents(target) == contents(database)


def test_a_database_with_rows_is_refused(database: Database, target: Database) -> None:
    fill(database, 1)
    copy(database, target)

    with refused("is not empty: execution_records has rows"):
        require_empty(target)
    with refused("is not empty: execution_records has rows"):
        copy(database, target)


def test_rows_of_a_newer_version_are_refused(target: Database) -> None:
    with refused("newer Headrace .9999."), loading(target, "9999"):
        pass


def test_a_table_of_another_form_is_refused(database: Database, target: Database) -> None:
    with (
        refused("a table executions that is not of its version"),
        loading(target, newest_revision()) as loader,
    ):
        loader.load("executions", ["unknown"], [[1]])
