import pytest

from engine.executions.statuses import ExecutionStatus
from engine.store.redis.record_packing import pack, unpack
from engine.store.workflows.summaries import (
    DAY_MS,
    LastRun,
    pack_summary,
    parse_runs,
    parse_summary,
)
from tests.support.store.records import document

DAY = 20_420
LAST = f"{DAY * DAY_MS + 5}:1b9d:completed:12"


def runs(counts: str, day: int = DAY) -> bytes:
    return f"{day}:{counts}|{LAST}".encode()


@pytest.mark.parametrize(
    ("counts", "days_later", "recent"),
    [
        ("3,1,0,0,0,0,2", 0, 6),
        ("3,1,0,0,0,0,2", 1, 4),
        ("3,1,0,0,0,0,2", 6, 3),
        ("3,1,0,0,0,0,2", 7, 0),
        ("3", 400, 0),
        ("3", -1, 3),
    ],
)
def test_runs_of_seven_days_are_counted_by_days(counts: str, days_later: int, recent: int) -> None:
    _, counted = parse_runs(runs(counts), (DAY + days_later) * DAY_MS + 7)

    assert counted == recent


def test_the_last_run_has_time_status_and_credits() -> None:
    last, _ = parse_runs(runs("1"), DAY * DAY_MS)

    assert last == LastRun(at=DAY * DAY_MS + 5, status=ExecutionStatus.COMPLETED, credits_cost=12)
    assert parse_runs(None, 0) == (None, 0)


def values(**changes: bytes | None) -> list[bytes | None]:
    summary = pack_summary(document("Écho", tags=("a",), editor={"groups": []}))
    return list(
        {
            "state": b"live",
            "version": b"3",
            "updated": b"7",
            "draft_saved": None,
            "summary": summary,
            "runs": None,
            **changes,
        }.values()
    )


def test_a_summary_has_the_facts_of_a_row() -> None:
    found = parse_summary("acc", "echo", values(), 0)

    assert found is not None
    assert (found.name, found.tags, found.version, found.updated_at) == ("Écho", ("a",), 3, 7)
    assert (found.has_draft, found.has_models, found.last_run) == (False, False, None)
    assert parse_summary("acc", "echo", values(state=b"deleted"), 0) is None
    assert parse_summary("acc", "echo", values(state=None), 0) is None
    later = pack(unpack(pack_summary(document("Écho", tags=("a",)))) | {"of_a_later_version": 1})
    assert parse_summary("acc", "echo", values(summary=later), 0) == found


def test_what_was_never_published_has_the_summary_of_its_draft() -> None:
    draft = {"draft_saved": b"9", "updated": b"2"}

    found = parse_summary("acc", "echo", values(version=None, **draft), 0)

    assert found is not None
    assert (found.version, found.has_draft, found.updated_at) == (0, True, 9)
