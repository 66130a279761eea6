"""Queries of archived executions: rows that a page examines, and the index that it walks."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from engine.executions.filter import ExecutionFilter, Position
from engine.executions.statuses import ExecutionStatus
from engine.history.archiving.execution_rows import make_rows
from engine.history.archiving.execution_writer import write_executions
from engine.history.database.connections import Database
from engine.history.reading import execution_queries
from engine.history.reading.execution_queries import count_rows, read_rows
from tests.support.history.rows import MONDAY, NAMES, ended

ACCOUNT = "acc_1"
FAILED = [ExecutionStatus.FAILED]


def write(database: Database, count: int, **fields: object) -> list[Position]:
    """Write executions of one second after the others; return their rows, newest first."""
    records = [ended(created=MONDAY + number, **fields) for number in range(count)]
    write_executions(database, [make_rows(each, NAMES) for each in records])
    found = [(int(each.fields["created"]), each.execution_id) for each in records]
    return sorted(found, reverse=True)


def pages(database: Database, wanted: ExecutionFilter, limit: int = 3) -> list[list[Position]]:
    """Return the rows of each page."""
    found: list[list[Position]] = []
    last: Position | None = None
    with database.read() as connection:
        while last is not None or not found:
            rows, last = read_rows(connection, ACCOUNT, wanted, last, limit=limit)
            found.append(rows)
    return found


def test_a_page_is_short_when_it_has_examined_enough_and_leads_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution_queries, "EXAMINED", (1, 5))
    right = write(database, 1, key="key_1", status="failed")
    for _ in range(2):
        write(database, 20, key="key_1", status="completed")
        write(database, 20, key="key_2", status="failed")
    wanted = ExecutionFilter(key_id="key_1", statuses=FAILED)

    found = pages(database, wanted)

    assert len(found) > 2
    assert [row for page in found for row in page] == right
    with database.read() as connection:
        counted = count_rows(connection, ACCOUNT, wanted, None, at_most=100)
    assert (counted.count, counted.is_all) == (1, True), "a count examines more"


@pytest.mark.parametrize(
    "rare",
    [
        {"version": 1},
        {"model_id": "studio"},
        {"http_request_id": "req-1"},
        {"tags": ["common", "rare"]},
        {"batch_id": "batch-1"},
        {"trigger_id": "trg_1"},
        {"trace_id": "1a" * 16},
    ],
)
def test_a_page_walks_the_index_of_the_rarest_filter(
    rare: dict[str, Any], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution_queries, "EXAMINED", (1, 5))
    monkeypatch.setattr(execution_queries, "COMPARED", 5)
    monkeypatch.setattr(execution_queries, "MODEL_COST", 1)
    rare_fields = {"request": "req-1", "tags": "rare\0common", "batch": "batch-1"}
    rare_fields |= {"trigger": "trg_1", "trace": f"00-{'1a' * 16}-{'2b' * 8}-01"}
    old = write(database, 3, slug="echo", version=1, models="gpt,studio", **rare_fields)
    write(database, 40, slug="echo", version=2, models="gpt", tags="common", batch="batch-2")

    assert pages(database, ExecutionFilter(workflow_slug="echo", **rare), 9) == [old]


def test_a_model_is_told_from_one_whose_name_contains_its_name(database: Database) -> None:
    right = write(database, 2, slug="echo", models="gpt")
    write(database, 1, slug="echo", models="gpt-2,my-gpt,GPT")

    for slug in (None, "echo"):
        wanted = ExecutionFilter(model_id="gpt", workflow_slug=slug)
        assert pages(database, wanted, 9) == [right]


def test_a_list_by_one_tag_examines_its_matches_alone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution_queries, "EXAMINED", ())
    monkeypatch.setattr(execution_queries, "COUNTED", 0)
    right = write(database, 3, tags="a\0b")
    write(database, 3, tags="A\0b")
    wanted = ExecutionFilter(tags=["a"])

    assert pages(database, wanted, 2) == [right[:2], right[2:]]
    with database.read() as connection:
        counted = count_rows(connection, ACCOUNT, wanted, None, at_most=9)
    assert (counted.count, counted.is_all) == (3, True)


def test_a_count_that_has_not_examined_all_says_so(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(database, 12, status="failed", key="key_1")
    wanted = ExecutionFilter(key_id="key_1", statuses=FAILED)

    with database.read() as connection:
        every = count_rows(connection, ACCOUNT, wanted, None, at_most=100)
        most = count_rows(connection, ACCOUNT, wanted, None, at_most=5)
        monkeypatch.setattr(execution_queries, "COUNTED", 5)
        some = count_rows(connection, ACCOUNT, wanted, None, at_most=100)

    assert (every.count, every.is_all) == (12, True)
    assert (most.count, most.is_all) == (5, False)
    assert (some.count, some.is_all) == (5, False)


@pytest.mark.parametrize("statuses", [FAILED, [ExecutionStatus.FAILED, ExecutionStatus.CANCELLED]])
def test_a_list_by_workflow_and_status_examines_its_matches_alone(
    statuses: list[ExecutionStatus], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution_queries, "EXAMINED", ())
    monkeypatch.setattr(execution_queries, "COUNTED", 0)
    right = write(database, 3, slug="echo", status="failed")
    write(database, 40, slug="echo", status="completed")
    wanted = ExecutionFilter(workflow_slug="echo", statuses=statuses)

    assert pages(database, wanted, 2) == [right[:2], right[2:]]
    with database.read() as connection:
        page = read_rows(connection, ACCOUNT, wanted, None, limit=9, offset=1)
        counted = count_rows(connection, ACCOUNT, wanted, None, at_most=9)
    assert page == (right[1:], None)
    assert (counted.count, counted.is_all) == (3, True)


def test_no_archived_execution_has_a_status_of_one_that_runs(database: Database) -> None:
    write(database, 3)
    wanted = ExecutionFilter(statuses=[ExecutionStatus.PROCESSING])

    assert pages(database, wanted) == [[]]
    with database.read() as connection:
        assert count_rows(connection, ACCOUNT, wanted, None, at_most=9).count == 0


def test_the_sign_of_absence_is_one_for_keys_and_models_alone(database: Database) -> None:
    keyless = write(database, 2, key="", models="gpt")
    write(database, 1, key="key_1", models="gpt")

    assert pages(database, ExecutionFilter(key_id="-"), 9) == [keyless]
    assert pages(database, ExecutionFilter(error_code="-"), 9) == [[]]
    assert pages(database, ExecutionFilter(workflow_slug="-"), 9) == [[]]


@pytest.mark.parametrize("few", [{"http_request_id": "req-1"}, {"id_start": "abcd"}])
def test_a_time_applies_beside_a_filter_that_leaves_few_rows(
    database: Database, few: dict[str, str]
) -> None:
    records = [
        replace(found, execution_id="abcd" + found.execution_id[4:])
        for found in [ended(created=MONDAY + number, request="req-1") for number in range(4)]
    ]
    write_executions(database, [make_rows(each, NAMES) for each in records])
    rows = [(int(each.fields["created"]), each.execution_id) for each in records]

    since = ExecutionFilter(created_from=MONDAY + 2, **few)
    until = ExecutionFilter(created_to=MONDAY + 2, **few)

    assert pages(database, since, 9) == [[rows[3], rows[2]]]
    assert pages(database, until, 9) == [[rows[1], rows[0]]]
    with database.read() as connection:
        assert count_rows(connection, ACCOUNT, since, None, at_most=9).count == 2


@pytest.mark.parametrize("field", ["batch", "trigger"])
def test_runs_of_a_batch_or_trigger_are_found_in_an_index_that_has_no_others(
    field: str, database: Database
) -> None:
    column = f"{field}_id"
    found = write(database, 20, **{field: "one"})
    write(database, 400)
    wanted = ExecutionFilter(**{column: "one"})
    index = f"ix_executions_account_id_{column}_created_at_id"

    assert pages(database, wanted, 50) == [found]
    with database.write() as connection:
        connection.execute(text("ANALYZE"))
    query = f"SELECT id FROM executions WHERE account_id = :account AND {column} = :value"
    order = "ORDER BY created_at DESC, id DESC LIMIT 50"
    explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
    with database.read() as connection:
        if not database.is_sqlite:  # it reads a small table as a whole
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        values = {"account": ACCOUNT, "value": "one"}
        plan = connection.execute(text(f"{explain} {query} {order}"), values).all()
    assert index in str(plan), plan
