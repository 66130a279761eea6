"""Figures of archived executions by time and one property, of any range, exact at its edges.

Whole buckets come from the rollups of their length, the rest of a range from shorter ones, and what
is left of minutes from the executions themselves.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, select

from engine.history.rollups import BUCKETS_MS, NONE
from engine.history.schema import execution_models, executions, rollups
from engine.history.sketches import bin_of, unpack_sketch
from engine.store.archive.archive import Figures, SeriesKey, SeriesQuery

LENGTHS = sorted(BUCKETS_MS.values())
NAMES = {length: name for name, length in BUCKETS_MS.items()}
SINGLE = 1
"""Length of the part of a range that is summed from executions."""

Part = tuple[int, int, int]
"""Length of the rollups that a part is summed from, its start, and its end."""


def read_figures(
    connection: Connection, account_id: str, wanted: SeriesQuery, changed: Collection[int] = ()
) -> dict[SeriesKey, Figures]:
    """Return the figures by bucket and value.

    Whole buckets have quantiles in place of durations, but for those in `changed`.
    """
    found: dict[SeriesKey, Figures] = {}
    for length, start, end in parts(wanted.start, wanted.end, wanted.bucket_ms):
        of = account_id, wanted.dimension, length, start, end
        if length == wanted.bucket_ms:
            found |= _whole(connection, *of)
            for at in changed:
                if start <= at < end:
                    _add(found, wanted, _of_rollups(connection, *of[:3], at, at + 1))
        elif length == SINGLE:
            _add(found, wanted, _of_executions(connection, *of))
        else:
            _add(found, wanted, _of_rollups(connection, *of))
    return found


def _add(
    found: dict[SeriesKey, Figures],
    wanted: SeriesQuery,
    rows: Iterable[tuple[int, str, Figures]],
) -> None:
    for at, key, figures in rows:
        place = wanted.bucket_of(at), key
        if place not in found or found[place].quantiles is not None:
            found[place] = figures
        else:
            found[place].add(figures)


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
) -> dict[SeriesKey, Figures]:
    of = rollups.c
    columns = of.at, of.key, of.runs, of.failed, of.credits, of.p50_ms, of.p95_ms
    query = _select(columns, account_id, dimension, length, start, end)
    return {
        (at, key): Figures(runs, failed, credits, quantiles=(median, high))
        for at, key, runs, failed, credits, median, high in connection.execute(query)
    }


def _of_rollups(
    connection: Connection, account_id: str, dimension: str, length: int, start: int, end: int
) -> Iterator[tuple[int, str, Figures]]:
    of = rollups.c
    columns = of.at, of.key, of.runs, of.failed, of.credits, of.durations
    query = _select(columns, account_id, dimension, length, start, end)
    for at, key, runs, failed, credits, durations in connection.execute(query):
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
    rows = connection.execute(_executions(account_id, dimension, start, end))
    for at, key, status, credits, duration_ms in rows:
        figures = Figures(1, int(status == "failed"), credits)
        figures.durations[bin_of(duration_ms)] = 1
        yield at, key or NONE, figures


def _executions(account_id: str, dimension: str, start: int, end: int) -> Select[Any]:
    of = executions.c
    keys = {
        "workflow": of.workflow_slug,
        "key": of.key_id,
        "status": of.status,
        "model": execution_models.c.model_id,
    }
    columns = of.created_at, keys[dimension], of.status, of.credits, of.duration_ms
    query = select(*columns).where(
        of.account_id == account_id, of.created_at >= start, of.created_at < end
    )
    if dimension != "model":
        return query
    models = execution_models.c
    is_same = and_(models.account_id == of.account_id, models.execution_id == of.id)
    is_same = and_(is_same, models.created_at == of.created_at)
    return query.select_from(executions.outerjoin(execution_models, is_same))
