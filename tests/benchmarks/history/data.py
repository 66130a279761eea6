"""Executions of one account over a month, for benchmarks of the history.

Values are frequent and rare, and hang together as in practice: a workflow has its models and its
usual key, and a version is live until the next one. Figures are those of the executions.
"""

import random
import uuid
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, insert, select, text

from engine.history.archiving.rollups import BUCKETS_MS, NONE
from engine.history.database.connections import Database
from engine.history.packing import pack_compressed
from engine.history.schema import execution_models, executions, rollups
from engine.history.sketches import SHOWN_QUANTILES, bin_of, pack_sketch, quantiles
from engine.store.archive.archive import Figures

ACCOUNT = "acc_0123456789abcdef0123456789abcdef"
START = 1_764_547_200_000
DAY = BUCKETS_MS["day"]
DAYS = 30
END = START + DAYS * DAY
AT_ONCE = 20_000

WORKFLOWS = [f"workflow-{number}" for number in range(20)]
"""The most frequent one first."""
RARE_WORKFLOW = "workflow-rare"
VERSIONS = 8
MODELS = ["gpt", "claude", "echo", "painter", "local"]
RARE_MODEL = "studio"
KEYS = [f"key_{number:024x}" for number in range(6)]
RARE_KEY = f"key_{99:024x}"
CODES = ["http_status", "TIMEOUT", "EXECUTION_FAILED"]
RARE_CODE = "worker_lost"
RARELY = 0.0001
"""Share of the executions that have a rare value."""
RESULT = pack_compressed({"text": "Dear Ada, " * 10})

Rows = list[dict[str, Any]]


def is_loaded(database: Database, count: int) -> bool:
    """Return whether the database has these executions already."""
    with database.read() as connection:
        query = select(func.count()).select_from(executions)
        return connection.execute(query).scalar_one() == count


def load(
    database: Database,
    count: int,
    *,
    account_id: str = ACCOUNT,
    seed: int = 19,
    http_request_id: str | None = None,
) -> None:
    """Write executions, their models and their figures; indexes are made afterwards.

    Figures are those of the account of these benchmarks alone.
    """
    dice = random.Random(seed)
    hours: Sums = defaultdict(Figures)
    minutes: Sums = defaultdict(Figures)
    indexes = list(executions.indexes)
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
        for index in indexes:
            index.drop(connection)
        for first in range(0, count, AT_ONCE):
            rows, models = [], []
            for number in range(first, min(first + AT_ONCE, count)):
                row = make_row(dice, START + number * DAYS * DAY // count)
                row |= {"account_id": account_id, "http_request_id": http_request_id}
                rows.append(row)
                models += make_models(row)
                add(hours, row, "hour")
                if not DAY <= row["created_at"] - START < (DAYS - 1) * DAY:
                    add(minutes, row, "minute")
            write(connection, executions, rows)
            write(connection, execution_models, models)
        for index in indexes:
            index.create(connection)
        if account_id != ACCOUNT:
            return
        for bucket, sums in (("minute", minutes), ("hour", hours), ("day", days_of(hours))):
            write(connection, rollups, [rollup(bucket, *each) for each in sums.items()])


def make_row(dice: random.Random, at: int) -> dict[str, Any]:
    """Return the row of an execution."""
    status = dice.choices(["completed", "failed", "cancelled"], [95, 4, 1])[0]
    duration = int(dice.lognormvariate(6, 1)) + 1
    rare = dice.random() // RARELY
    is_slim = dice.random() < 0.05
    number = min(int(dice.paretovariate(0.7)) - 1, len(WORKFLOWS) - 1)
    slug = None if is_slim else RARE_WORKFLOW if rare == 0 else WORKFLOWS[number]
    live = 1 + (at - START) * VERSIONS // (DAYS * DAY)
    version = max(1, live - (dice.random() < 0.05))
    source = "api-slim" if is_slim else dice.choices(["api-workflow", "app"], [9, 1])[0]
    key = KEYS[number % len(KEYS)] if dice.random() < 0.8 else dice.choice(KEYS)
    models = [MODELS[number % 5]] if is_slim or number % 4 else []
    if number % 3 == 0 and not is_slim:
        models.append(MODELS[(number + 2) % 5])
    code = dice.choices(CODES, [60, 30, 10])[0] if rare != 3 else RARE_CODE
    error = code if status == "failed" or rare == 3 else None
    return {
        "account_id": ACCOUNT,
        "id": str(uuid.UUID(int=dice.getrandbits(128), version=4)),
        "created_at": at,
        "started_at": at + 2,
        "completed_at": at + duration,
        "duration_ms": duration,
        "status": "failed" if error else status,
        "source": source,
        "workflow_slug": slug,
        "workflow_version": None if is_slim else version,
        "key_id": None if source == "app" else RARE_KEY if rare == 1 else key,
        "error_code": error,
        "model_ids": ",".join([*models, *([RARE_MODEL] if rare == 2 else [])]) or None,
        "credits": 3,
        "micro_usd": 1_500,
        "markup": "1.3",
        "owner_id": None,
        "retry_of": None,
        "retried_by": None,
        "http_request_id": None,
        "has_objects": False,
        "record_bytes": 900,
        "error": f'{{"code":"{error}","message":"It failed"}}' if error else None,
        "warnings": None,
        "result": None if error or status == "cancelled" else RESULT,
        "result_bytes": 0 if error or status == "cancelled" else 110,
    }


def make_models(row: Mapping[str, Any]) -> Rows:
    """Return the rows of an execution's models."""
    names = row["model_ids"].split(",") if row["model_ids"] else []
    return [
        {
            "account_id": row["account_id"],
            "model_id": name,
            "created_at": row["created_at"],
            "execution_id": row["id"],
        }
        for name in names
    ]


SumKey = tuple[str, int, str]
"""Dimension, start of a bucket, and value."""
Sums = defaultdict[SumKey, Figures]


def add(sums: Sums, row: Mapping[str, Any], bucket: str) -> None:
    """Add an execution to the figures of its bucket."""
    at = row["created_at"] // BUCKETS_MS[bucket] * BUCKETS_MS[bucket]
    values = [
        ("workflow", row["workflow_slug"] or NONE),
        ("key", row["key_id"] or NONE),
        ("status", row["status"]),
        *(("model", each) for each in (row["model_ids"] or NONE).split(",")),
    ]
    duration = bin_of(row["duration_ms"])
    for dimension, value in values:
        figures = sums[dimension, at, value]
        figures.runs += 1
        figures.failed += row["status"] == "failed"
        figures.credits += row["credits"]
        figures.durations[duration] = figures.durations.get(duration, 0) + 1


def days_of(hours: Sums) -> Sums:
    """Return the figures of days."""
    days: Sums = defaultdict(Figures)
    for (dimension, at, value), figures in hours.items():
        days[dimension, at // DAY * DAY, value].add(figures)
    return days


def rollup(bucket: str, key: SumKey, figures: Figures) -> dict[str, Any]:
    """Return the row of figures."""
    dimension, at, value = key
    median, high = quantiles(figures.durations, *SHOWN_QUANTILES)
    return {
        "account_id": ACCOUNT,
        "bucket": bucket,
        "dimension": dimension,
        "at": at,
        "key": value,
        "runs": figures.runs,
        "failed": figures.failed,
        "credits": figures.credits,
        "durations": pack_sketch(figures.durations),
        "p50_ms": median,
        "p95_ms": high,
    }


def write(connection: Connection, table: Any, rows: Rows) -> None:
    """Write rows, into PostgreSQL by COPY."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(insert(table), rows)
        return
    names = ", ".join(rows[0])
    cursor: Any = connection.connection.cursor()
    with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(list(row.values()))
