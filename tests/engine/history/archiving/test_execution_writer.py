"""Writes of ended executions: each once, with all of its rows, or not at all."""

from collections.abc import Sequence

import pytest

from engine.history.archiving import execution_writer
from engine.history.archiving.execution_rows import ExecutionRows
from engine.history.archiving.execution_writer import find_known, write_executions
from engine.history.database.connections import Database
from engine.history.errors import HistoryUnavailable
from engine.history.schema import (
    execution_models,
    execution_records,
    executions,
    metadata,
    nodes,
    rollups,
)
from tests.support.history.rows import rows, table_rows


def contents(database: Database) -> dict[str, list[dict[str, object]]]:
    return {table.name: table_rows(database, table) for table in metadata.sorted_tables}


def test_an_execution_is_written_with_all_of_its_rows(database: Database) -> None:
    found = rows(models="gpt")

    assert write_executions(database, [found]) == 1

    assert table_rows(database, executions) == [found.execution]
    assert table_rows(database, execution_records) == [found.record]
    assert table_rows(database, execution_models) == found.models
    assert table_rows(database, nodes) == found.nodes


def test_a_second_write_changes_nothing(database: Database) -> None:
    found = [rows(models="gpt"), rows()]
    write_executions(database, found)
    before = contents(database)

    assert write_executions(database, found) == 0
    assert contents(database) == before


def test_only_the_new_ones_of_a_batch_are_written_and_counted(database: Database) -> None:
    old, new = rows(), rows()
    write_executions(database, [old])

    assert write_executions(database, [old, new, new]) == 1

    assert len(table_rows(database, executions)) == 2
    assert {row["runs"] for row in table_rows(database, rollups)} == {2}


def test_a_batch_without_executions_is_written_too(database: Database) -> None:
    assert write_executions(database, []) == 0


def test_a_failure_leaves_nothing_of_the_batch(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(connection: object, batch: Sequence[ExecutionRows]) -> None:
        raise HistoryUnavailable("gone")

    before = contents(database)
    monkeypatch.setattr(execution_writer, "add_figures", fail)

    with pytest.raises(HistoryUnavailable):
        write_executions(database, [rows()])

    assert contents(database) == before


def test_known_executions_are_found_among_many(database: Database) -> None:
    found = [rows(account_id=f"acc_{number % 3}") for number in range(600)]
    write_executions(database, found)
    ids = [(each.execution["account_id"], each.execution["id"]) for each in found]

    with database.read() as connection:
        assert find_known(connection, [*ids, ("acc_1", "unknown"), ("acc_9", ids[0][1])]) == set(
            ids
        )
