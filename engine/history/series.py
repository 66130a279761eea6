"""Figures of archived executions by time and one property, of any range, exact at its edges.

Whole buckets come from the rollups of their length, the rest of a range from shorter ones, and what
is left of minutes from the executions themselves.
"""

from collections.abc import Iterator
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
    connection: Connection, account_id: str, wanted: SeriesQuery
) -> dict[SeriesKey, Figures]:
    """Return the figures by bucket and value."""
    found: dict[SeriesKey, Figures] = {}
    for length, start, end in parts(wanted.start, wanted.end, wanted.bucket_ms):
        read = _of_executions if length == SINGLE else _of_rollups
        for at, key, figures in read(connection, account_id, wanted.dimension, length, start, end):
            place = wanted.bucket_of(at), key
            if place in found:
                found[place].add(figures)
            else:
                found[place] = figures
    return found


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


def _of_rollups(
    connection: Connection, account_id: str, dimension: str, length: int, start: int, end: int
) -> Iterator[tuple[int, str, Figures]]:
    of = rollups.c
    query = select(of.at, of.key, of.runs, of.failed, of.credits, of.durations).where(
        of.account_id == account_id,
        of.bucket == NAMES[length],
        of.dimension == dimension,
        of.at >= start,
        of.at < end,
    )
    for at, key, runs, failed, credits, durations in connection.execute(query):
        yield at, key, Figures(runs, failed, credits, unpack_sketch(durations))


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
