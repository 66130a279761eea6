import pytest

from engine.ids.triggers import due_occurrence_id, occurrence_execution_id
from engine.triggers.occurrences import (
    FailReason,
    Occurrence,
    OccurrenceStatus,
    SkipReason,
    format_occurrence,
    parse_occurrence,
)

ID = due_occurrence_id("trg_1", 1_000)


@pytest.mark.parametrize(
    ("occurrence", "record"),
    [
        (Occurrence(id=ID, trigger_id="trg_1", at=7, status=OccurrenceStatus.STARTED), "s,7,,"),
        (
            Occurrence(
                id=ID,
                trigger_id="trg_1",
                at=7,
                status=OccurrenceStatus.SKIPPED,
                reason=SkipReason.STILL_RUNNING,
            ),
            "k,7,still_running,",
        ),
        (
            Occurrence(
                id=ID,
                trigger_id="trg_1",
                at=7,
                status=OccurrenceStatus.FAILED,
                reason=FailReason.UNAVAILABLE,
            ),
            "f,7,unavailable,",
        ),
        (
            Occurrence(
                id=ID, trigger_id="trg_1", at=7, status=OccurrenceStatus.MISSED, count=12_345
            ),
            "m,7,,12345",
        ),
    ],
)
def test_a_record_is_a_text_and_back(occurrence: Occurrence, record: str) -> None:
    assert format_occurrence(occurrence) == record
    assert parse_occurrence("trg_1", ID, record) == occurrence
    assert parse_occurrence("trg_1", ID, record + ",of a later release") == occurrence


def test_only_a_started_one_has_an_execution() -> None:
    for status in OccurrenceStatus:
        occurrence = Occurrence(id=ID, trigger_id="trg_1", at=7, status=status)
        is_started = status is OccurrenceStatus.STARTED
        assert occurrence.execution_id == (occurrence_execution_id(ID) if is_started else None)


def test_a_status_of_a_later_release_is_left_out() -> None:
    assert parse_occurrence("trg_1", ID, "z,7,,") is None
