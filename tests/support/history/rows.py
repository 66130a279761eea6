"""Records of ended executions without a Redis, and what the database holds of them."""

import random
from dataclasses import replace
from typing import Any
from uuid import uuid4

from sqlalchemy import Table, select

from engine.executions.rows import NodeRow, StepRows, pack_rows
from engine.graph.plan import NodeName
from engine.history.archiving.execution_rows import ExecutionRows, make_rows
from engine.history.database.connections import Database
from engine.store.archive.ended_executions import EndedRecord
from engine.store.redis.record_packing import pack

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
MONDAY = 1_764_547_200_000
"""Midnight UTC of 1 December 2025."""
PARENT = "00000000-0000-4000-8000-0000000000aa"
NAMES = (NodeName(id="t", type="textBox"), NodeName(id="out", type="responseOutput"))


def ended(
    *, account_id: str = "acc_1", at: int = MONDAY, duration_ms: int = 100, **fields: Any
) -> EndedRecord:
    """Return the record of an execution of two nodes, with some fields changed."""
    known: dict[str, Any] = {
        "status": "completed",
        "statuses": "cc",
        "slug": "echo",
        "version": 2,
        "source": "api-workflow",
        "key": "key_1",
        "created": at,
        "started": at + 1,
        "completed": at + duration_ms,
        "result": pack({"text": "hello"}),
        "error": b"",
        "r1.1": pack_rows(
            StepRows(
                [NodeRow(0, 1, at + 1, 5, None, pack({"text-out": "hi"})), NodeRow(1, 1, at, 1)]
            )
        ),
    }
    values = {name: value for name, value in (known | fields).items() if value is not None}
    return EndedRecord(
        account_id=account_id,
        execution_id=str(uuid4()),
        fields={
            name: value if isinstance(value, bytes) else str(value).encode()
            for name, value in values.items()
        },
    )


def rows(**fields: Any) -> ExecutionRows:
    """Return the rows of such an execution."""
    return make_rows(ended(**fields), NAMES)


def child_rows(parent_id: str = PARENT, index: int = 0, **fields: Any) -> ExecutionRows:
    """Return the rows of an execution that the node `each` of another one began."""
    place = {"parent": parent_id, "parent_node_id": "each", "child": index}
    return rows(source="sub", root=parent_id, depth=2, **place, **fields)


def table_rows(database: Database, table: Table) -> list[dict[str, Any]]:
    """Return all rows of a table, by its primary key."""
    with database.read() as connection:
        found = connection.execute(select(table).order_by(*table.primary_key))
        return [dict(row) for row in found.mappings()]


def some_records(count: int = 90, step: int = 2, account_id: str = "acc_1") -> list[EndedRecord]:
    """Return executions with values of every filter, some of others' workflows."""
    dice = random.Random(19)
    starts = ["abc", "b4", "a", ""]

    def make(number: int) -> EndedRecord:
        status = dice.choice(["completed", "failed", "cancelled"])
        code = dice.choice(["http_status", "TIMEOUT"])
        error = {"code": code, "message": "It failed"} if status == "failed" else None
        found = ended(
            account_id=account_id,
            created=MONDAY + number // 3 * step,
            completed=MONDAY + number // 3 * step + dice.randint(0, 5_000),
            spent=dice.choice([0, 3]),
            status=status,
            slug=dice.choice(["echo", "other", ""]),
            version=dice.choice([1, 2, 3]),
            source=dice.choice(["app", "api-workflow"]),
            key=dice.choice(["key_1", "key_2", ""]),
            request=f"req-{number % 4}",
            models=dice.choice(["gpt", "gpt,claude", "claude", None]),
            tags=dice.choice(["a", "b\0a", "b", None]),
            batch=dice.choice([None, "batch-1", "batch-2"]),
            item=number,
            trigger=dice.choice([None, "trg_1", "trg_2"]),
            error=pack(error) if error else b"",
            owner=dice.choice([None, None, "acc_2"]),
            result=dice.choice([b"", pack({"number": number})]),
        )
        start = dice.choice(starts)
        return replace(found, execution_id=start + found.execution_id[len(start) :])

    return [make(number) for number in range(count)]
