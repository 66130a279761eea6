"""Rows of batches in the history."""

from typing import Any

from engine.history.archiving.batches import make_batch_row, parse_batch_record, write_batches
from engine.history.archiving.closed_accounts import close_account
from engine.history.database.connections import Database
from engine.history.schema import batches
from engine.store.archive.ended_batches import EndedBatchRecord
from engine.store.redis.record_packing import pack
from tests.support.history.rows import table_rows


def over(account_id: str = "acc_1", batch_id: str = "b1", **changes: Any) -> EndedBatchRecord:
    known = {
        "format": 2,
        "status": "completed",
        "states": "ccfx",
        "slug": "echo",
        "version": 3,
        "concurrency": 20,
        "created": 1_000,
        "completed": 2_000,
        "spent": 7,
        "key": "key_1",
        "tags": pack(["a", "b, c"]),
        "chunks": "0,2",
        "c0": b"first",
        "c1": b"second",
        "f2": pack({"code": "GONE"}),
        "later": "kept",
    }
    fields = {
        name: value if isinstance(value, bytes) else str(value).encode()
        for name, value in (known | changes).items()
        if value is not None
    }
    return EndedBatchRecord(account_id=account_id, batch_id=batch_id, fields=fields)


def test_a_batch_has_its_counts_and_its_whole_record() -> None:
    found = over()

    row = make_batch_row(found)

    record, inputs = row.pop("record"), row.pop("inputs")
    assert row == {
        "account_id": "acc_1",
        "id": "b1",
        "status": "completed",
        "created_at": 1_000,
        "completed_at": 2_000,
        "credits": 7,
        "items": 4,
        "completed": 2,
        "failed": 1,
        "cancelled": 1,
        "workflow_slug": "echo",
        "workflow_version": 3,
        "owner_id": None,
        "key_id": "key_1",
        "retry_of": None,
        "tags": "\na\nb, c\n",
        "has_objects": False,
    }
    assert parse_batch_record(record, inputs) == found.fields
    head = parse_batch_record(record)
    assert found.fields.keys() - head.keys() == {"chunks", "c0", "c1"}


def test_a_batch_of_anothers_workflow_with_objects_has_no_version() -> None:
    row = make_batch_row(over(owner="acc_2", c1=b"\xc1name.7", key=None, retry_of="b0"))

    columns = ("workflow_version", "owner_id", "has_objects", "key_id", "retry_of")
    assert [row[each] for each in columns] == [None, "acc_2", True, None, "b0"]


def test_a_later_write_replaces_a_batch_and_closed_accounts_are_left_out(
    database: Database,
) -> None:
    close_account(database, "acc_closed")
    write_batches(database, [over(), over("acc_closed"), over("acc_2")])

    write_batches(database, [over(spent=9)])
    write_batches(database, [])

    rows = {row["account_id"]: row["credits"] for row in table_rows(database, batches)}
    assert rows == {"acc_1": 9, "acc_2": 7}
