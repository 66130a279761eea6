"""The queries of the guide to the history run on both databases."""

import re
from pathlib import Path

import pytest
from sqlalchemy import text

from engine.history.archiving.execution_rows import make_rows
from engine.history.archiving.execution_writer import write_executions
from engine.history.database.connections import Database
from engine.store.redis.record_packing import pack
from tests.support.history.rows import NAMES, ended

GUIDE = Path(__file__).parents[3] / "docs/how-to/call/history.md"
QUERIES = re.findall(r"```sql\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize(("number", "runs"), [(0, 1), (1, 3), (2, 3), (3, 2)])
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

    assert len(QUERIES) == 4
    assert rows[0]["runs"] == runs
