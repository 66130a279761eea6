"""Figures of archived executions by time and one property, of any range, exact at its edges.

Whole buckets come from the rollups of their length, and the edges of a range from shorter ones.
Parts of a minute are summed from the executions themselves.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Select, select

from engine.history.archiving.rollups import BUCKETS_MS, NONE
from engine.history.schema import executions, rollups
from engine.history.sketches import bin_of, unpack_sketch
from engine.store.archive.archive import Figures, SeriesKey, SeriesQuery, SeriesRow

LENGTHS = sorted(BUCKETS_MS.values())
NAMES = {length: name for name, length in BUCKETS_MS.items()}
SINGLE = 1
"""Length of the part of a range that is summed from executions."""

KEYS = {
    "workflow": executions.c.workflow_slug,
    "key": executions.c.key_id,
    "status": executions.c.status,
    "model": executions.c.model_ids,
}

Part = tuple[int, int, int]
"""Length of the rollups that a part is summed from, its start, and its end."""


def read_figures(
    connection: Connection, account_id: str, wanted: SeriesQuery, changed: Collection[int] = ()
) -> tuple[Sequence[SeriesRow], dict[SeriesKey, Figures]]:
    """Return the rows of whole buckets, and the figures of others and of those in `changed`."""
    whole: list[SeriesRow] = []
    sums: dict[SeriesKey, Figures] = {}
    for length, start, end in parts(wanted.start, wanted.end, wanted.bucket_ms):
        part = account_id, wanted.dimension, length, start, end
        if length == wanted.bucket_ms:
            whole += _read_whole(connection, *part)
            again = [at for at in changed if start <= at < end]
            if again:
                whole = [row for row in whole if row.at not in again]
            for at in again:
                _add(sums, wanted, _read_rollups(connection, *part[:3], at, at + 1))
        elif length == SINGLE:
            _add(sums, wanted, _read_executions(connection, *part))
        else:
            _add(sums, wanted, _read_rollups(connection, *part))
    return whole, sums


def _add(
    sums: dict[SeriesKey, Figures],
    wanted: SeriesQuery,
    rows: Iterable[tuple[int, str, Figures]],
) -> None:
    for at, key, figures in rows:
        place = wanted.bucket_of(at), key
        if place in sums:
            sums[place].add(figures)
        else:
            sums[place] = figures


def parts(start: int, end: int, bucket_ms: int) -> Iterator[Part]:
    """Yield the parts of a range, of rollups up to the length of a bucket."""
    lengths = [SINGLE, *(each for each in LENGTHS if each <= bucket_ms)]
    yield from _parts(start, end, lengths)


def _parts(start: int, end: int, lengths: list[int]) -> Iterator[Part]:
    if start >= end:
        return
    *shorter, length = lengths
    first, last = -(-start // length) * length, end // length * length
    if first >= last:
        yield from _parts(start, end, shorter)
        return
    yield from _parts(start, first, shorter)
    yield length, first, last
    yield from _parts(last, end, shorter)


def _read_whole(
    connection: Connection, account_id: str, dimension: str, length: int, start: int, end: int
) -> Iterator[SeriesRow]:
    rollup = rollups.c
    columns = (
        rollup.at,
        rollup.key,
        rollup.runs,
        rollup.failed,
        rollup.credits,
        rollup.p50_ms,
        rollup.p95_ms,
    )
    query = _select(columns, account_id, dimension, length, start, end)
    return map(SeriesRow._make, connection.execute(query.order_by(rollup.at, rollup.key)).all())


def _read_rollups(
    connection: Connection, account_id: str, dimension: str, length: int, start: int, end: int
) -> Iterator[tuple[int, str, Figures]]:
    rollup = rollups.c
    columns = rollup.at, rollup.key, rollup.runs, rollup.failed, rollup.credits, rollup.durations
    query = _select(columns, account_id, dimension, length, start, end)
    for at, key, runs, failed, credits, durations in connection.execute(query).all():
        yield at, key, Figures(runs, failed, credits, unpack_sketch(durations))


def _select(
    columns: Sequence[Any], account_id: str, dimension: str, length: int, start: int, end: int
) -> Select[Any]:
    rollup = rollups.c
    return select(*columns).where(
        rollup.account_id == account_id,
        rollup.bucket == NAMES[length],
        rollup.dimension == dimension,
        rollup.at >= start,
        rollup.at < end,
    )


def _read_executions(
    connection: Connection, account_id: str, dimension: str, _: int, start: int, end: int
) -> Iterator[tuple[int, str, Figures]]:
    execution = executions.c
    query = select(
        execution.created_at,
        KEYS[dimension],
        execution.status,
        execution.credits,
        execution.duration_ms,
    ).where(
        execution.account_id == account_id,
        execution.created_at >= start,
        execution.created_at < end,
    )
    for at, value, status, credits, duration_ms in connection.execute(query).all():
        for key in (value or NONE).split(",") if dimension == "model" else [value or NONE]:
            durations = {bin_of(duration_ms): 1}
            yield at, key, Figures(1, int(status == "failed"), credits, durations)
