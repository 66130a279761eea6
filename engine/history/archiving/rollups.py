"""Figures by minute, hour and day, kept in step with the executions that are archived."""

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection, select, tuple_

from engine.history.archiving.execution_rows import ExecutionRows, Row
from engine.history.database.statements import in_batches, upsert
from engine.history.schema import rollups
from engine.history.sketches import SHOWN_QUANTILES, bin_of, pack_sketch, quantiles, unpack_sketch
from engine.store.archive.archive import Figures

BUCKETS_MS = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000}
NONE = ""
"""Key of executions without a workflow, model or key."""

RollupKey = tuple[str, str, str, int, str]
"""Account, bucket, dimension, start of the bucket in milliseconds, and key."""
KEY_COLUMNS = (
    rollups.c.account_id,
    rollups.c.bucket,
    rollups.c.dimension,
    rollups.c.at,
    rollups.c.key,
)


def add_figures(connection: Connection, executions: Sequence[ExecutionRows]) -> None:
    """Add executions to the rollups; none of them may be in these already."""
    added = sum_up(executions)
    for keys in in_batches(sorted(added)):
        columns = (*KEY_COLUMNS, rollups.c.runs, rollups.c.failed, rollups.c.credits)
        rows = connection.execute(
            select(*columns, rollups.c.durations).where(tuple_(*KEY_COLUMNS).in_(keys))
        )
        for *key, runs, failed, credits, durations in rows:
            figures = added[key[0], key[1], key[2], key[3], key[4]]
            figures.runs += runs
            figures.failed += failed
            figures.credits += credits
            figures.add_durations(unpack_sketch(durations))
    if added:
        connection.execute(upsert(connection, rollups), [_row(*each) for each in added.items()])


def sum_up(executions: Iterable[ExecutionRows]) -> dict[RollupKey, Figures]:
    """Return the figures of executions by rollup."""
    sums: dict[RollupKey, Figures] = {}
    for each in executions:
        row = each.execution
        duration = bin_of(row["duration_ms"])
        for key in _keys(row, each.models):
            figures = sums.setdefault(key, Figures())
            figures.runs += 1
            figures.failed += row["status"] == "failed"
            figures.credits += row["credits"]
            figures.add_durations({duration: 1})
    return sums


def _keys(row: Row, models: Sequence[Row]) -> Iterator[RollupKey]:
    values = [
        ("workflow", row["workflow_slug"] or NONE),
        ("key", row["key_id"] or NONE),
        ("status", row["status"]),
        *(("model", each["model_id"]) for each in models),
    ]
    if not models:
        values.append(("model", NONE))
    for bucket, length in BUCKETS_MS.items():
        at = row["created_at"] // length * length
        for dimension, key in values:
            yield row["account_id"], bucket, dimension, at, key


def _row(key: RollupKey, figures: Figures) -> Row:
    columns = zip((column.name for column in KEY_COLUMNS), key, strict=True)
    median, high = quantiles(figures.durations, *SHOWN_QUANTILES)
    return {
        **dict(columns),
        "runs": figures.runs,
        "failed": figures.failed,
        "credits": figures.credits,
        "durations": pack_sketch(figures.durations),
        "p50_ms": median or 0,
        "p95_ms": high or 0,
    }
