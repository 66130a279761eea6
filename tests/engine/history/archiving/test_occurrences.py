"""Rows of occurrences in the history."""

from engine.history.archiving.closed_accounts import close_account
from engine.history.archiving.occurrences import make_occurrence_row, write_occurrences
from engine.history.database.connections import Database
from engine.history.schema import occurrences
from engine.ids.triggers import occurrence_execution_id
from engine.triggers.occurrences import FailReason, OccurrenceStatus
from tests.support.history.rows import table_rows
from tests.support.triggers.occurrences import TRIGGER, occurrence


def test_an_occurrence_that_started_a_run_leads_to_its_execution() -> None:
    found = occurrence(7)

    assert make_occurrence_row("acc_1", found) == {
        "account_id": "acc_1",
        "trigger_id": TRIGGER,
        "at": 7,
        "id": found.id,
        "status": "started",
        "reason": None,
        "execution_id": occurrence_execution_id(found.id),
        "count": 1,
    }


def test_one_that_started_none_has_its_reason_or_its_count() -> None:
    failed = occurrence(status=OccurrenceStatus.FAILED, reason=FailReason.INSUFFICIENT_CREDITS)
    missed = occurrence(status=OccurrenceStatus.MISSED, count=480)

    rows = [make_occurrence_row("acc_1", each) for each in (failed, missed)]

    columns = ("status", "reason", "execution_id", "count")
    assert [[row[each] for each in columns] for row in rows] == [
        ["failed", "insufficient_credits", None, 1],
        ["missed", None, None, 480],
    ]


def test_each_is_written_once_and_those_of_closed_accounts_never(database: Database) -> None:
    close_account(database, "acc_closed")
    found = [occurrence(at) for at in range(3)]
    write_occurrences(database, [])
    write_occurrences(database, [("acc_1", found[0]), ("acc_closed", occurrence())])

    write_occurrences(database, [*(("acc_1", each) for each in found), ("acc_2", found[0])])

    rows = [(row["account_id"], row["id"]) for row in table_rows(database, occurrences)]
    assert rows == [*(("acc_1", each.id) for each in found), ("acc_2", found[0].id)]
