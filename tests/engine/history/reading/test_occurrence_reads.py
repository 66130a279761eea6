"""Reads of archived occurrences."""

import pytest
from sqlalchemy import text, update

from engine.executions.filter import Position
from engine.history.archiving.occurrences import write_occurrences
from engine.history.database.connections import Database
from engine.history.reading.occurrence_reads import read_occurrence, read_occurrences
from engine.history.schema import occurrences
from engine.triggers.occurrences import Occurrence, OccurrenceStatus, SkipReason
from tests.support.triggers.occurrences import TRIGGER, occurrence

SKIPPED = OccurrenceStatus.SKIPPED


@pytest.fixture
def written(database: Database) -> list[Occurrence]:
    """Occurrences of a trigger, newest first, beside others."""
    skipped = {"status": SKIPPED, "reason": SkipReason.STILL_RUNNING}
    found = [occurrence(at // 2, **(skipped if at % 3 == 0 else {})) for at in range(20)]
    missed = occurrence(11, status=OccurrenceStatus.MISSED, count=480)
    others = [("acc_1", occurrence(5, trigger_id="trg_2")), ("acc_2", occurrence(5))]
    write_occurrences(database, [*(("acc_1", each) for each in [*found, missed]), *others])
    return sorted([*found, missed], key=lambda each: (each.at, each.id), reverse=True)


@pytest.mark.parametrize("status", [None, *OccurrenceStatus])
def test_pages_have_the_occurrences_of_the_trigger_newest_first(
    status: OccurrenceStatus | None, written: list[Occurrence], database: Database
) -> None:
    after, found, sizes = None, [], []
    with database.read() as connection:
        while page := read_occurrences(connection, "acc_1", TRIGGER, status, after, 5):
            found += page
            sizes.append(len(page))
            after = Position(page[-1].at, page[-1].id)

    assert found == [each for each in written if status in (None, each.status)]
    assert set(sizes[:-1]) <= {5}


def test_one_is_read_by_its_id_in_its_trigger_alone(
    written: list[Occurrence], database: Database
) -> None:
    one = written[7]
    with database.read() as connection:
        assert read_occurrence(connection, "acc_1", TRIGGER, one.id) == one
        assert read_occurrence(connection, "acc_1", "trg_2", one.id) is None
        assert read_occurrence(connection, "acc_2", TRIGGER, one.id) is None


def test_occurrences_with_a_status_of_a_later_version_are_left_out(
    written: list[Occurrence], database: Database
) -> None:
    with database.write() as connection:
        later = update(occurrences).where(occurrences.c.id == written[0].id)
        connection.execute(later.values(status="forwarded"))

    with database.read() as connection:
        assert read_occurrence(connection, "acc_1", TRIGGER, written[0].id) is None
        assert list(read_occurrences(connection, "acc_1", TRIGGER, None, None, 99)) == written[1:]


@pytest.mark.parametrize("status", [None, SKIPPED])
def test_a_page_is_a_range_of_one_index(
    status: OccurrenceStatus | None, written: list[Occurrence], database: Database
) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL reads a small table as a whole")
    seen: list[str] = []
    with database.read() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.set_trace_callback(seen.append)
        read_occurrences(connection, "acc_1", TRIGGER, status, Position(9, "x"), 5)
        raw.set_trace_callback(None)
        explained = [f"EXPLAIN QUERY PLAN {each}" for each in seen if each.startswith("SELECT")]
        plans = [str(connection.execute(text(each)).all()) for each in explained]
    by_status = "COVERING INDEX ix_occurrences_account_id_trigger_id_status_at_id"
    assert ("PRIMARY KEY" if status is None else by_status) in plans[0]
    assert "TEMP B-TREE" not in plans[0], plans
    assert not [each for each in plans if "SCAN occurrences" in each], plans
