"""Figures by time, against sums over the executions themselves."""

import random
from collections import defaultdict
from collections.abc import AsyncIterator

import pytest

from engine.executions.execution import Execution
from engine.history.database.connections import Database
from engine.ids.partitions import partition_of
from engine.services.usage_series import read_series
from engine.settings import Settings
from engine.store import Store
from engine.store.archive.archive import SeriesQuery, SeriesRow
from engine.store.redis import keyspace
from tests.support.history.archived import History, opened
from tests.support.history.rows import DAY, HOUR, MINUTE, MONDAY, ended, some_records

ACCOUNT = "acc_1"
STEP = 23 * MINUTE + 7_919
"""Between executions, so that they are spread over days and no bucket is whole."""


@pytest.fixture
async def history(settings: Settings, database: Database) -> AsyncIterator[History]:
    async with opened(settings, database) as history:
        yield history


async def spread(history: History, count: int = 240) -> list[tuple[Execution, str]]:
    """Put executions into Redis, the database or both; return them with their keys."""
    records = some_records(count, step=STEP)
    await history.put(records)
    found = [
        (
            await history.store.executions.facts(ACCOUNT, each.execution_id),
            each.fields["key"].decode(),
        )
        for each in records
    ]
    names = [each.reference for each in records]
    random.Random(5).shuffle(names)
    for start in range(count // 3, count, 50):
        await history.archive(names[start : start + 50])
    await history.forget(names[2 * count // 3 :])
    return found


def keys_of(execution: Execution, key_id: str, dimension: str) -> list[str]:
    return {
        "workflow": [execution.workflow_slug],
        "key": [key_id],
        "status": [execution.status.value],
        "model": list(dict.fromkeys(execution.model_ids)) or [""],
    }[dimension]


def expected(found: list[tuple[Execution, str]], wanted: SeriesQuery) -> list[SeriesRow]:
    """Sum up executions one by one; durations are within one percent of those of the series."""
    groups: dict[tuple[int, str], list[Execution]] = defaultdict(list)
    for execution, key_id in found:
        if wanted.start <= execution.created_at < wanted.end:
            for key in keys_of(execution, key_id, wanted.dimension):
                at = execution.created_at // wanted.bucket_ms * wanted.bucket_ms
                groups[at, key].append(execution)
    return [
        SeriesRow(
            at=at,
            key=key,
            runs=len(of),
            failed=sum(each.status == "failed" for each in of),
            credits=sum(each.credits_cost for each in of),
            p50_ms=true_quantile(of, 0.5),
            p95_ms=true_quantile(of, 0.95),
        )
        for (at, key), of in sorted(groups.items(), key=lambda group: group[0])
    ]


def true_quantile(of: list[Execution], fraction: float) -> int | None:
    durations = sorted(each.duration_ms for each in of if each.duration_ms is not None)
    return durations[int(fraction * (len(durations) - 1))] if durations else None


def assert_same(rows: list[SeriesRow], right: list[SeriesRow]) -> None:
    assert [_exact(row) for row in rows] == [_exact(row) for row in right]
    for row, other in zip(rows, right, strict=True):
        assert row.p50_ms == pytest.approx(other.p50_ms, rel=0.011, abs=1)
        assert row.p95_ms == pytest.approx(other.p95_ms, rel=0.011, abs=1)


def _exact(row: SeriesRow) -> tuple[object, ...]:
    return row.at, row.key, row.runs, row.failed, row.credits


async def test_figures_are_sums_over_executions_wherever_they_are(history: History) -> None:
    found = await spread(history)
    ranges = [
        (MONDAY, MONDAY + 2 * DAY),
        (MONDAY + 3 * HOUR + 17, MONDAY + DAY + 5 * MINUTE + 59_999),
        (MONDAY + 5_000, MONDAY + 31_000),
        (MONDAY - DAY, MONDAY),
    ]

    for start, end in ranges:
        for bucket_ms in (MINUTE, HOUR, DAY):
            for dimension in ("workflow", "model", "key", "status"):
                wanted = SeriesQuery(start=start, end=end, bucket_ms=bucket_ms, dimension=dimension)

                rows = await read_series(history.store, ACCOUNT, wanted)

                assert_same(rows, expected(found, wanted))


async def test_an_execution_counts_once_while_it_moves(history: History) -> None:
    wanted = SeriesQuery(start=MONDAY, end=MONDAY + DAY, bucket_ms=DAY, dimension="workflow")
    records = [ended(created=MONDAY + number) for number in range(9)]
    await history.put(records)

    for each in records:
        await history.archive([each.reference])
        # The archiver was stopped before it took the execution from the list.
        key = keyspace.unarchived(partition_of(ACCOUNT))
        await history.store.client.send("ZADD", key, 1, each.reference)

        assert [row.runs for row in await read_series(history.store, ACCOUNT, wanted)] == [9]
        await history.forget([each.reference])
        assert [row.runs for row in await read_series(history.store, ACCOUNT, wanted)] == [9]


async def test_running_executions_count_without_a_duration(history: History) -> None:
    wanted = SeriesQuery(start=MONDAY, end=MONDAY + DAY, bucket_ms=HOUR, dimension="status")
    running = ended(created=MONDAY, status="processing", completed="", spent=2)
    del running.fields["completed"]
    client = history.store.client
    words = [word for pair in running.fields.items() for word in pair]
    await client.send("HSET", keyspace.execution(ACCOUNT, running.execution_id), *words)
    await client.send("SADD", keyspace.active(ACCOUNT), running.execution_id)

    assert await read_series(history.store, ACCOUNT, wanted) == [
        SeriesRow(
            at=MONDAY, key="processing", runs=1, failed=0, credits=2, p50_ms=None, p95_ms=None
        )
    ]


async def test_others_have_figures_of_their_own(history: History) -> None:
    await spread(history, 30)
    wanted = SeriesQuery(start=MONDAY, end=MONDAY + DAY, bucket_ms=DAY, dimension="key")

    assert await read_series(history.store, "acc_2", wanted) == []


async def test_figures_come_from_redis_without_a_history(store: Store) -> None:
    history = History(store, Database("sqlite://"))
    await history.put([ended(created=MONDAY), ended(created=MONDAY + 1)])
    wanted = SeriesQuery(start=MONDAY, end=MONDAY + 1, bucket_ms=DAY, dimension="key")

    assert [row.runs for row in await read_series(store, ACCOUNT, wanted)] == [1]
