"""Writes of ended executions: each once, with all of its rows, or not at all."""

from collections.abc import Sequence

import pytest
from sqlalchemy import delete, update

from engine.history.archiving import execution_writer
from engine.history.archiving.execution_rows import ExecutionRows
from engine.history.archiving.execution_writer import (
    find_known,
    write_executions,
    write_missing_tags,
)
from engine.history.database.connections import Database
from engine.history.errors import HistoryUnavailable
from engine.history.schema import (
    child_executions,
    execution_models,
    execution_records,
    execution_tags,
    executions,
    metadata,
    nodes,
    rollups,
)
from tests.support.history.rows import child_rows, rows, table_rows


def contents(database: Database) -> dict[str, list[dict[str, object]]]:
    return {table.name: table_rows(database, table) for table in metadata.sorted_tables}


def test_an_execution_is_written_with_all_of_its_rows(database: Database) -> None:
    found = rows(models="gpt", tags="a\0b")

    assert write_executions(database, [found]) == 1

    assert table_rows(database, executions) == [found.execution]
    assert table_rows(database, execution_records) == [found.record]
    assert table_rows(database, execution_models) == found.models
    assert table_rows(database, execution_tags) == found.tags
    assert table_rows(database, nodes) == found.nodes


def test_a_second_write_changes_nothing(database: Database) -> None:
    found = [rows(models="gpt"), rows()]
    write_executions(database, found)
    before = contents(database)

    assert write_executions(database, found) == 0
    assert contents(database) == before


def test_a_child_is_written_once_beside_the_executions_and_has_no_figures(
    database: Database,
) -> None:
    child, root = child_rows(models="gpt"), rows()
    figures = table_rows(database, rollups)

    assert write_executions(database, [child]) == 1
    assert write_executions(database, [child]) == 0

    assert table_rows(database, child_executions) == [child.execution]
    assert table_rows(database, execution_records) == [child.record]
    assert table_rows(database, nodes) == child.nodes
    assert table_rows(database, executions) == []
    assert table_rows(database, rollups) == figures == []
    write_executions(database, [root])
    ids = [("acc_1", each.execution["id"]) for each in (child, root)]
    with database.read() as connection:
        assert find_known(connection, [*ids, ("acc_1", "other")]) == set(ids)


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


def test_tags_that_an_older_archiver_has_left_out_are_written_once(database: Database) -> None:
    found, other = rows(tags="b\0a, c"), rows(tags="b")
    write_executions(database, [found, other])
    before = contents(database)
    with database.write() as connection:
        for table, name in ((execution_tags, "execution_id"), (executions, "id")):
            is_found = table.c[name] == found.execution["id"]
            if table is execution_tags:
                connection.execute(delete(table).where(is_found))
            else:
                connection.execute(update(table).where(is_found).values(tags=None))
    assert contents(database) != before
    ids = [(each.execution["account_id"], each.execution["id"]) for each in (found, other)]

    for _ in range(2):
        write_missing_tags(database, {ids[0]: ["b", "a, c"], ids[1]: ["b"], ("acc", "x"): ["b"]})

        assert contents(database) == before
