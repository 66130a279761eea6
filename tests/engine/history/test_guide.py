"""The queries of the guide to the history run on both databases."""

import re
from pathlib import Path

import pytest
from sqlalchemy import text

from engine.history.archiving.execution_rows import make_rows
from engine.history.archiving.execution_writer import write_executions
from engine.history.archiving.occurrences import write_occurrences
from engine.history.database.connections import Database
from engine.store.redis.record_packing import pack
from engine.triggers.occurrences import OccurrenceStatus
from tests.support.history.rows import MONDAY, NAMES, child_rows, ended
from tests.support.triggers.occurrences import TRIGGER, occurrence

GUIDE = Path(__file__).parents[3] / "docs/how-to/call/history.md"
QUERIES = re.findall(r"```sql\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize(("number", "runs"), [(0, 1), (2, 3), (3, 3), (4, 2)])
def test_a_query_finds_what_it_is_for(database: Database, number: int, runs: int) -> None:
    failure = pack({"code": "http_status", "message": "It failed"})
    found = [
        ended(spent=2, tags="a\0b"),
        ended(spent=1, tags="a"),
        ended(status="failed", error=failure),
    ]
    write_executions(database, [make_rows(each, NAMES) for each in found])

    with database.read() as connection:
        rows = connection.execute(text(QUERIES[number])).mappings().all()

    assert len(QUERIES) == 6
    assert rows[0]["runs"] == runs


def test_the_query_of_items_finds_those_that_failed(database: Database) -> None:
    [parent_id] = re.findall(r"parent_id = '([^']*)'", QUERIES[1])
    failure = pack({"code": "http_status", "message": "It failed"})
    failed = child_rows(parent_id, 7, status="failed", error=failure)
    others = [child_rows(parent_id, 6), child_rows("another", status="failed", error=failure)]
    write_executions(database, [failed, *others])

    with database.read() as connection:
        [row] = connection.execute(text(QUERIES[1])).mappings().all()

    assert dict(row) == {
        "parent_node_id": "each",
        "child_index": 7,
        "error_code": "http_status",
        "id": failed.execution["id"],
    }


def test_the_query_of_occurrences_sums_those_that_started_no_run(database: Database) -> None:
    missed = {"status": OccurrenceStatus.MISSED}
    found = [
        occurrence(MONDAY + 9),
        occurrence(MONDAY + 1, **missed, count=480),
        occurrence(MONDAY + 2, **missed),
        occurrence(MONDAY - 1, **missed),
    ]
    write_occurrences(database, [("acc_1", each) for each in found])

    with database.read() as connection:
        [row] = connection.execute(text(QUERIES[5])).mappings().all()

    expected = {"trigger_id": TRIGGER, "status": "missed", "reason": None}
    assert dict(row) == {**expected, "times": 481, "last_at": MONDAY + 2}
