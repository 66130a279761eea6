"""Reports on the whole history, for operators."""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, func, select, tuple_

from engine.history.database.connections import Database
from engine.history.packing import decompress
from engine.history.schema import executions
from engine.history.tag_lines import parse_tag_lines
from engine.store.executions.record_fields import parse_name
from engine.store.redis.record_packing import unpack
from engine.values.plain import moment

PAGE = 1_000
TIMES = ("created_at", "started_at", "completed_at")
JSON_COLUMNS = ("error", "warnings")


def count_executions(database: Database) -> int:
    """Return the number of archived executions. Raises HistoryUnavailable."""
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(executions)).scalar_one()


def read_exported(
    database: Database, *, account_id: str | None, from_ms: int | None, to_ms: int | None
) -> Iterator[dict[str, Any]]:
    """Yield executions by account and creation, with times as texts and results as values.

    `from_ms` is inclusive and `to_ms` exclusive; a result in the media store is None. Raises
    HistoryUnavailable.
    """
    wanted: list[ColumnElement[bool]] = []
    if account_id is not None:
        wanted.append(executions.c.account_id == account_id)
    if from_ms is not None:
        wanted.append(executions.c.created_at >= from_ms)
    if to_ms is not None:
        wanted.append(executions.c.created_at < to_ms)
    key = executions.c.account_id, executions.c.created_at, executions.c.id
    statement = select(executions).where(*wanted).order_by(*key).limit(PAGE)
    last: tuple[str, int, str] | None = None
    while True:
        page = statement if last is None else statement.where(tuple_(*key) > last)
        with database.read() as connection:
            rows = connection.execute(page).mappings().all()
        for row in rows:
            yield _plain(dict(row))
        if len(rows) < PAGE:
            return
        last = rows[-1]["account_id"], rows[-1]["created_at"], rows[-1]["id"]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    packed = decompress(row["result"]) if row["result"] else b""
    return {
        **row,
        **{name: moment(row[name]) for name in TIMES},
        **{name: msgspec.json.decode(row[name]) if row[name] else None for name in JSON_COLUMNS},
        "model_ids": row["model_ids"].split(",") if row["model_ids"] else [],
        "tags": list(parse_tag_lines(row["tags"])),
        "result": unpack(packed) if packed and parse_name(packed) is None else None,
    }
