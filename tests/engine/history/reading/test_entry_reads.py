"""Lists of archived deliveries: of the account, of a webhook, of an execution, by status."""

from typing import Any

import pytest
from sqlalchemy import Connection, text

from engine.executions.filter import Position
from engine.history.archiving.deliveries import write_deliveries
from engine.history.database.connections import Database
from engine.history.reading.entry_reads import read_deliveries
from engine.history.schema import deliveries
from engine.store.archive.ended_deliveries import EndedDelivery
from tests.support.history.rows import MONDAY, table_rows

RUN = {"key": "run:e1", "execution": "e1"}
FOUND = [
    ("d1", {"key": "key_1", "execution": "e1", "status": "failed"}),
    ("d2", RUN | {"sequence": "1", "event": "execution.started"}),
    ("d3", RUN | {"sequence": "2", "status": "failed"}),
    ("d4", {"key": "batch:b1", "batch": "b1", "event": "batch.completed"}),
    ("d5", {"key": "key_1"}),
    ("d6", {"key": "key_2", "execution": "e2"}),
]


def ended(delivery_id: str, account_id: str = "acc_1", **changes: Any) -> EndedDelivery:
    created = MONDAY + int(delivery_id[1:])
    known = {"event": "execution.completed", "status": "delivered", "url": "https://example.com"}
    fields = known | {"created": str(created), "fence": "1"} | changes
    return EndedDelivery(
        account_id=account_id,
        delivery_id=delivery_id,
        settled_at=created + 1,
        fields={name: value.encode() for name, value in fields.items()},
    )


@pytest.fixture
def written(database: Database) -> Database:
    own = [ended(delivery_id, **fields) for delivery_id, fields in FOUND]
    write_deliveries(database, [*own, ended("d7", "acc_2", **RUN)])
    return database


@pytest.mark.parametrize(
    ("wanted", "right"),
    [
        ({}, "d6 d5 d4 d3 d2 d1"),
        ({"status": "failed"}, "d3 d1"),
        ({"key_id": "key_1"}, "d5 d1"),
        ({"key_id": "run:e1"}, "d3 d2"),
        ({"execution_id": "e1"}, "d3 d2 d1"),
        ({"execution_id": "e1", "status": "failed"}, "d3 d1"),
        ({"execution_id": "e1", "key_id": "key_1"}, "d1"),
        ({"execution_id": "none"}, ""),
    ],
    ids=str,
)
def test_pages_have_what_is_wanted_newest_first(
    wanted: dict[str, str | None], right: str, written: Database
) -> None:
    found: list[str] = []
    after: Position | None = None
    with written.read() as connection:
        while page := read_deliveries(connection, "acc_1", wanted, after, 2):
            found += [each.id for each in page]
            after = Position(int(page[-1].fields["created"]), page[-1].id)

    assert found == right.split()


def test_rows_have_the_number_and_the_batch(written: Database) -> None:
    rows = {row["id"]: row for row in table_rows(written, deliveries)}

    assert [rows[each]["sequence"] for each in ("d1", "d2", "d3")] == [None, 1, 2]
    assert [rows[each]["batch_id"] for each in ("d3", "d4")] == [None, "b1"]
    assert (rows["d4"]["execution_id"], rows["d4"]["key_id"]) == (None, "batch:b1")


def test_lists_of_an_execution_and_of_a_status_walk_an_index_of_theirs(written: Database) -> None:
    if not written.is_sqlite:
        pytest.skip("PostgreSQL reads a small table as a whole")

    def plan(connection: Connection, condition: str) -> str:
        query = f"EXPLAIN QUERY PLAN SELECT id FROM deliveries WHERE account_id = 'a' {condition}"
        order = "ORDER BY created_at DESC, id DESC"
        return str(connection.execute(text(f"{query} {order}")).all())

    with written.read() as connection:
        for column in ("execution_id", "status", "key_id"):
            found = plan(connection, f"AND {column} = 'b'")
            assert f"ix_deliveries_account_id_{column}_created_at_id" in found
            assert "TEMP B-TREE" not in found
