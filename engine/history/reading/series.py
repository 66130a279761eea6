"""Figures of archived executions by time and one property, of any range, exact at its edges.

Whole buckets come from the rollups of their length, the rest of a range from shorter ones, and what
is left of minutes from the executions themselves.
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
    found: dict[SeriesKey, Figures] = {}
    for length, start, end in parts(wanted.start, wanted.end, wanted.bucket_ms):
        of = account_id, wanted.dimension, length, start, end
        if length == wanted.bucket_ms:
            whole += _whole(connection, *of)
            again = [at for at in changed if start <= at < end]
            if again:
                whole = [row for row in whole if row.at not in again]
            for at in again:
                _add(found, wanted, _of_rollups(connection, *of[:3], at, at + 1))
        elif length == SINGLE:
            _add(found, wanted, _of_executions(connection, *of))
        else:
            _add(found, wanted, _of_rollups(connection, *of))
    return whole, found


def _add(
    found: dict[SeriesKey, Figures],
    wanted: SeriesQuery,
    rows: Iterable[tuple[int, str, Figures]],
) -> None:
    for at, key, figures in rows:
        place = wanted.bucket_of(at), key
        if place in found:
            found[place].add(figures)
        else:
            found[place] = figures


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


def _whole(
    connection: Connection, account_id: str, dimension: str, length: int, start: int, end: int
) -> Iterator[SeriesRow]:
    of = rollups.c
    columns = of.at, of.key, of.runs, of.failed, of.credits, of.p50_ms, of.p95_ms
    query = _select(columns, account_id, dimension, length, start, end)
    return map(SeriesRow._make, connection.execute(query.order_by(of.at, of.key)).all())


def _of_rollups(
    connection: Connection, account_id: str, dimension: str, length: int, start: int, end: int
) -> Iterator[tuple[int, str, Figures]]:
    of = rollups.c
    columns = of.at, of.key, of.runs, of.failed, of.credits, of.durations
    query = _select(columns, account_id, dimension, length, start, end)
    for at, key, runs, failed, credits, durations in connection.execute(query).all():
        yield at, key, Figures(runs, failed, credits, unpack_sketch(durations))


def _select(
    columns: Sequence[Any], account_id: str, dimension: str, length: int, start: int, end: int
) -> Select[Any]:
    of = rollups.c
    return select(*columns).where(
        of.account_id == account_id,
        of.bucket == NAMES[length],
        of.dimension == dimension,
        of.at >= start,
        of.at < end,
    )


def _of_executions(
    connection: Connection, account_id: str, dimension: str, _: int, start: int, end: int
) -> Iterator[tuple[int, str, Figures]]:
    of = executions.c
    query = select(of.created_at, KEYS[dimension], of.status, of.credits, of.duration_ms).where(
        of.account_id == account_id, of.created_at >= start, of.created_at < end
    )
    for at, value, status, credits, duration_ms in connection.execute(query).all():
        for key in (value or NONE).split(",") if dimension == "model" else [value or NONE]:
            durations = {bin_of(duration_ms): 1}
            yield at, key, Figures(1, int(status == "failed"), credits, durations)
