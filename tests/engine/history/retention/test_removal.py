"""Removal of rows whose retention is over, and of accounts."""

import pytest
from sqlalchemy import insert

from engine.history.archiving.batches import write_batches
from engine.history.archiving.entries import ledger_sums
from engine.history.archiving.execution_writer import write_executions
from engine.history.archiving.occurrences import write_occurrences
from engine.history.database.connections import Database
from engine.history.retention import removal
from engine.history.retention.removal import (
    carry_ledger,
    count_rows,
    erase_account,
    remove_acts,
    remove_batches,
    remove_children,
    remove_deliveries,
    remove_executions,
    remove_figures,
    remove_occurrences,
)
from engine.history.schema import (
    audit_entries,
    batches,
    child_executions,
    deliveries,
    execution_models,
    execution_records,
    execution_tags,
    executions,
    ledger_carried,
    ledger_entries,
    metadata,
    nodes,
    occurrences,
    rollups,
)
from tests.engine.history.archiving.test_batches import over
from tests.support.history.rows import DAY, HOUR, MONDAY, child_rows, rows, table_rows
from tests.support.triggers.occurrences import occurrence

MINUTE = 60_000
TABLES = (executions, execution_models, execution_records, execution_tags, nodes)


def test_children_of_before_a_time_are_removed_with_their_parts(database: Database) -> None:
    old, new, root = child_rows(), child_rows(index=1, at=MONDAY + DAY), rows()
    write_executions(database, [old, new, root])

    removed = remove_children(database, "acc_1", MONDAY + DAY)

    assert removed.count == 1
    assert table_rows(database, child_executions) == [new.execution]
    assert table_rows(database, executions) == [root.execution]
    ids = {each["execution_id"] for each in table_rows(database, execution_records)}
    assert ids == {new.execution["id"], root.execution["id"]}
    assert count_rows(database, "acc_1")["child_executions"] == 1


def test_an_erased_account_has_no_children(database: Database) -> None:
    other = child_rows(account_id="acc_2")
    write_executions(database, [child_rows(), child_rows(index=1), other])

    while erase_account(database, "acc_1").count:
        pass

    assert table_rows(database, child_executions) == [other.execution]
    assert not any(count_rows(database, "acc_1").values())


def add_entries(database: Database, account_id: str = "acc_1") -> None:
    """Add three movements, one a day."""
    entry = {"account_id": account_id, "number": 0, "kind": "capture", "balance": 0, "node": None}
    with database.write() as connection:
        connection.execute(
            insert(ledger_entries),
            [
                {**entry, "at": MONDAY + day * DAY, "bucket": f"m{day % 2}", "credits": day + 1}
                | {"reserved": -day, "execution_id": None}
                for day in range(3)
            ],
        )


def add_delivery(database: Database, delivery_id: str, at: int, settled: int) -> None:
    row = {"account_id": "acc_1", "id": delivery_id, "key_id": "k", "event": "e", "url": "u"}
    times = {"created_at": at, "settled_at": settled}
    with database.write() as connection:
        connection.execute(
            insert(deliveries),
            row | times | {"status": "failed", "attempts": 1, "fence": 1, "record": b""},
        )


def test_executions_of_before_a_time_are_removed_with_their_parts(database: Database) -> None:
    old = rows(models="gpt", tags="nightly")
    late_end = rows(duration_ms=2 * DAY, models="gpt", tags="nightly")
    of_another = rows(account_id="acc_2")
    write_executions(database, [old, late_end, of_another, rows(at=MONDAY + DAY)])

    removed = remove_executions(database, "acc_1", MONDAY + HOUR)

    assert (removed.count, removed.with_objects) == (1, [])
    for table in TABLES:
        ids = {row.get("execution_id", row.get("id")) for row in table_rows(database, table)}
        assert old.execution["id"] not in ids
        assert late_end.execution["id"] in ids
    assert len(table_rows(database, executions)) == 3


def test_batches_of_before_a_time_are_removed_and_those_with_objects_named(
    database: Database,
) -> None:
    old = over(batch_id="old", created=MONDAY, completed=MONDAY + 1, c1=b"\xc1name.7")
    late_end = over(batch_id="late", created=MONDAY, completed=MONDAY + DAY)
    write_batches(database, [old, late_end, over("acc_2", created=MONDAY)])

    removed = remove_batches(database, "acc_1", MONDAY + HOUR)

    assert (removed.count, removed.with_objects) == (1, ["old"])
    left = {(row["account_id"], row["id"]) for row in table_rows(database, batches)}
    assert left == {("acc_1", "late"), ("acc_2", "b1")}
    assert remove_batches(database, "acc_1", MONDAY + HOUR).count == 0


def test_executions_with_objects_are_named(database: Database) -> None:
    found = rows(has_objects=1)
    write_executions(database, [found, rows()])

    removed = remove_executions(database, "acc_1", MONDAY + DAY)

    assert removed.with_objects == [found.execution["id"]]


def test_a_batch_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "AT_ONCE", 2)
    write_executions(database, [rows() for _ in range(3)])

    counts = [remove_executions(database, "acc_1", MONDAY + DAY).count for _ in range(3)]

    assert counts == [2, 1, 0]


def test_a_ledger_still_adds_up_when_old_entries_are_carried(database: Database) -> None:
    add_entries(database)
    add_entries(database, "acc_2")
    with database.read() as connection:
        before = ledger_sums(connection, "acc_1")

    assert carry_ledger(database, "acc_1", MONDAY + DAY) == 1
    assert carry_ledger(database, "acc_1", MONDAY + 2 * DAY) == 1
    assert carry_ledger(database, "acc_1", MONDAY + 2 * DAY) == 0

    with database.read() as connection:
        assert ledger_sums(connection, "acc_1") == before == {"": -3, "m0": 4, "m1": 2}
    left = table_rows(database, ledger_entries)
    assert [(row["account_id"], row["at"]) for row in left] == [
        ("acc_1", MONDAY + 2 * DAY),
        *(("acc_2", MONDAY + day * DAY) for day in range(3)),
    ]
    assert len(table_rows(database, ledger_carried)) == 3


def test_deliveries_that_ended_before_a_time_are_removed(database: Database) -> None:
    add_delivery(database, "old", MONDAY, MONDAY + 1)
    add_delivery(database, "redelivered", MONDAY, MONDAY + DAY)

    assert remove_deliveries(database, "acc_1", MONDAY + HOUR) == 1
    assert [row["id"] for row in table_rows(database, deliveries)] == ["redelivered"]


def test_figures_of_minutes_go_first(database: Database) -> None:
    write_executions(database, [rows(), rows(at=MONDAY + 500 * DAY)])

    remove_figures(database, "acc_1", MONDAY + 2 * DAY, MONDAY + 300 * DAY)
    buckets = {row["bucket"] for row in table_rows(database, rollups) if row["at"] == MONDAY}
    assert buckets == {"hour", "day"}

    remove_figures(database, "acc_1", MONDAY + 450 * DAY, MONDAY + 450 * DAY)
    assert {row["at"] for row in table_rows(database, rollups)} == {MONDAY + 500 * DAY}


def test_figures_go_when_all_of_their_time_is_over_and_those_of_others_stay(
    database: Database,
) -> None:
    write_executions(database, [rows(), rows(account_id="acc_2")])
    removed_at = MONDAY + 450 * DAY

    def left_of(account_id: str) -> set[str]:
        found = table_rows(database, rollups)
        return {row["bucket"] for row in found if row["account_id"] == account_id}

    remove_figures(database, "acc_1", MONDAY + MINUTE, removed_at)
    assert left_of("acc_1") == {"minute", "hour", "day"}
    remove_figures(database, "acc_1", MONDAY + MINUTE + 1, removed_at)
    assert left_of("acc_1") == {"hour", "day"}
    remove_figures(database, "acc_1", MONDAY + HOUR + 1, removed_at)
    assert left_of("acc_1") == {"day"}
    remove_figures(database, "acc_1", MONDAY + DAY, removed_at)
    assert left_of("acc_1") == {"day"}
    remove_figures(database, "acc_1", MONDAY + DAY + 1, removed_at)

    assert left_of("acc_1") == set()
    assert left_of("acc_2") == {"minute", "hour", "day"}


def test_occurrences_of_before_a_time_are_removed_some_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "AT_ONCE", 2)
    found = [occurrence(at, trigger_id=f"trg_{at % 2}") for at in range(5)]
    write_occurrences(database, [*(("acc_1", each) for each in found), ("acc_2", occurrence())])

    assert [remove_occurrences(database, "acc_1", 3) for _ in range(3)] == [2, 1, 0]

    left = {(row["account_id"], row["at"]) for row in table_rows(database, occurrences)}
    assert left == {("acc_1", 3), ("acc_1", 4), ("acc_2", 0)}


def test_acts_of_before_a_time_are_removed(database: Database) -> None:
    act = {"number": 0, "stream": 1, "by": "b", "action": "a", "subject": "s"}
    with database.write() as connection:
        connection.execute(insert(audit_entries), [{**act, "at": at} for at in (1, 2)])

    remove_acts(database, 2)

    assert [row["at"] for row in table_rows(database, audit_entries)] == [2]


def test_an_erased_account_leaves_nothing_and_others_stay(database: Database) -> None:
    write_executions(database, [rows(models="gpt", has_objects=1), rows(account_id="acc_2")])
    write_batches(database, [over(), over("acc_2")])
    write_occurrences(database, [(each, occurrence()) for each in ("acc_1", "acc_2")])
    add_entries(database)
    add_delivery(database, "one", MONDAY, MONDAY)
    carry_ledger(database, "acc_1", MONDAY + DAY)
    assert count_rows(database, "acc_1") == {
        "child_executions": 0,
        "executions": 1,
        "batches": 1,
        "deliveries": 1,
        "occurrences": 1,
        "ledger_entries": 2,
    }

    while erase_account(database, "acc_1").count:
        pass

    left = {
        row["account_id"]
        for table in metadata.sorted_tables
        if "account_id" in table.c
        for row in table_rows(database, table)
    }
    assert left == {"acc_2"}
