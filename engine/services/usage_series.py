"""Figures of an account's executions by time: archived ones, and those that the history lacks.

Running executions count as runs; their durations are not known yet.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from engine.executions.statuses import ExecutionStatus
from engine.history.sketches import SHOWN_QUANTILES, bin_of, quantiles
from engine.store import Store
from engine.store.archive.archive import Figures, SeriesKey, SeriesQuery, SeriesRow
from engine.store.executions.unarchived import UnarchivedExecution

MANY_ROWS = 500
"""Rows with durations from which on they are made off the event loop: some milliseconds of work."""


async def read_series(store: Store, account_id: str, wanted: SeriesQuery) -> list[SeriesRow]:
    """Return the rows by time and value. Raises Unavailable."""
    hot = await store.unarchived.read_created(account_id, wanted.start, wanted.end)
    created = {each.execution.id: each.execution.created_at for each in hot}
    archived = await store.archive.figures(account_id, wanted, created)
    sums = archived.by_key
    for each in hot:
        if each.execution.id not in archived.known:
            for key in _keys(each, wanted.dimension):
                place = wanted.bucket_of(each.execution.created_at), key
                sums.setdefault(place, Figures()).add(_figures(each))
    if len(sums) < MANY_ROWS:
        return _rows(archived.whole, sums)
    return await asyncio.to_thread(_rows, archived.whole, sums)


def _rows(whole: Sequence[SeriesRow], sums: Mapping[SeriesKey, Figures]) -> list[SeriesRow]:
    return sorted([*whole, *(_row(*place, each) for place, each in sums.items())])


def _keys(unarchived: UnarchivedExecution, dimension: str) -> Iterator[str]:
    execution = unarchived.execution
    match dimension:
        case "workflow":
            yield execution.workflow_slug
        case "key":
            yield unarchived.key_id
        case "status":
            yield execution.status.value
        case "model":
            yield from dict.fromkeys(execution.model_ids) or [""]


def _figures(unarchived: UnarchivedExecution) -> Figures:
    execution = unarchived.execution
    is_failed = execution.status is ExecutionStatus.FAILED
    figures = Figures(1, int(is_failed), execution.credits_cost)
    if execution.duration_ms is not None:
        figures.durations[bin_of(execution.duration_ms)] = 1
    return figures


def _row(at: int, key: str, figures: Figures) -> SeriesRow:
    median, high = quantiles(figures.durations, *SHOWN_QUANTILES)
    return SeriesRow(
        at=at,
        key=key,
        runs=figures.runs,
        failed=figures.failed,
        credits=figures.credits,
        p50_ms=median,
        p95_ms=high,
    )
