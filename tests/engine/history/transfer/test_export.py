"""A frozen history: no writer gets in, and its rows stay those of one moment."""

from contextlib import closing

import pytest
from sqlalchemy import text

from engine.history.archiving.execution_writer import write_executions
from engine.history.database.connections import Database
from engine.history.errors import HistoryUnavailable
from engine.history.migrations.revisions import newest_revision
from engine.history.transfer.export import freeze
from tests.support.history.rows import rows


def test_the_rows_are_those_of_the_moment_of_the_freezing(database: Database) -> None:
    write_executions(database, [rows() for _ in range(1_000)])
    with freeze(database) as history:
        history.thaw()
        write_executions(database, [rows()])
        found = list(history.rows("executions"))
        columns = history.columns("executions")

    assert len(found) == 1_000
    assert columns[:2] == ["account_id", "id"]
    with freeze(database) as history:
        assert sum(1 for _ in history.rows("executions")) == 1_001
        assert history.database_id
        assert {"executions", "nodes", "ledger_entries", "archive_state"} <= set(history.tables)


def test_nobody_writes_before_the_thaw(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.history.database.connections.BUSY_SECONDS", 0.1)
    with closing(Database(database_url, read_seconds=0.3)) as other:
        with freeze(database), pytest.raises(HistoryUnavailable):
            write_executions(other, [rows()])
        write_executions(other, [rows()])


def test_tables_of_another_version_are_refused(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        with pytest.raises(HistoryUnavailable) as caught, freeze(database):
            pass
        assert "another version of Headrace (9999)" in caught.value.reason
    finally:
        with database.write() as connection:
            connection.execute(
                text(f"UPDATE alembic_version SET version_num = '{newest_revision()}'")
            )
