"""State of the archiver, and what it says about the history."""

from dataclasses import replace

import pytest

from engine.store import Store
from engine.store.archive.outbox import HistoryBacklog
from engine.store.archive.state import (
    BEHIND_MS,
    NO_DATABASE,
    SILENT,
    SILENT_MS,
    UNFIT_SECONDS,
    ArchiverState,
    ArchiverStates,
    HistoryHealth,
)
from engine.store.redis import keyspace

NOW = 10_000_000
NONE = HistoryBacklog(count=0, oldest_at=None)
SOME = HistoryBacklog(count=3, oldest_at=NOW - 1_000)
WELL = HistoryHealth(
    state=ArchiverState(database_id="one", seen_at=NOW - 1_000),
    executions=SOME,
    deliveries=NONE,
    occurrences=NONE,
    now=NOW,
)


def old(behind_ms: int) -> HistoryBacklog:
    return HistoryBacklog(count=1, oldest_at=NOW - behind_ms)


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        (WELL, ""),
        (replace(WELL, state=replace(WELL.state, error="it is gone")), "it is gone"),
        (replace(WELL, state=ArchiverState(seen_at=1)), ""),
        (replace(WELL, state=ArchiverState(seen_at=1), executions=old(SILENT_MS)), ""),
        (replace(WELL, state=ArchiverState(seen_at=1), executions=old(SILENT_MS + 1)), SILENT),
        (replace(WELL, executions=NONE, state=ArchiverState()), ""),
        (replace(WELL, executions=old(BEHIND_MS)), ""),
        (replace(WELL, executions=old(BEHIND_MS + 1)), "it is 5 minutes behind"),
        (replace(WELL, deliveries=old(2 * BEHIND_MS)), "it is 10 minutes behind"),
        (replace(WELL, occurrences=old(3 * BEHIND_MS)), "it is 15 minutes behind"),
    ],
)
def test_what_makes_the_history_incomplete(health: HistoryHealth, expected: str) -> None:
    assert health.problem() == expected


def test_a_part_without_the_database_of_the_others_is_told() -> None:
    assert WELL.problem(NO_DATABASE) == NO_DATABASE


async def test_a_process_without_the_database_is_told_for_a_minute(store: Store) -> None:
    states = ArchiverStates(store.client)
    before = await store.leases.now() - int(UNFIT_SECONDS * 1000) - 2_000
    await store.client.send(
        "HSET", keyspace.history(), "unfit.long-gone", f"{before} {NO_DATABASE}"
    )
    assert (await states.health()).problem() == ""

    await states.report_unfit("host-7-1a", NO_DATABASE)

    assert (await states.health()).problem() == f"host-7-1a: {NO_DATABASE}"
    assert [each.name for each in (await states.read()).unfit] == ["host-7-1a"]
    await states.report_fit("host-7-1a")
    assert (await states.health()).problem() == ""


async def test_the_first_database_keeps_the_history(store: Store) -> None:
    states = ArchiverStates(store.client)

    assert await states.claim_database("one") == "one"
    assert await states.claim_database("two") == "one"
    await states.write(seen_at=5, error="gone", refused={"a/1": "why", "a/2": "why"})

    assert await states.read() == ArchiverState(
        database_id="one", seen_at=5, error="gone", refused=2, refusals={"a/1": "why", "a/2": "why"}
    )
    health = await states.health()
    assert (health.executions, health.deliveries, health.occurrences) == (NONE, NONE, NONE)
    assert abs(health.now - await store.leases.now()) < 60_000
