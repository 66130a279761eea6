"""The record of an execution in the store: what its fields hold, and how they are read."""

import base64
import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from engine.executions.execution import (
    Execution,
    ExecutionStatus,
    NodeExecution,
    NodeStatus,
    parse_node_statuses,
)
from engine.store.redis.records import unpack

JOB_FIELD = re.compile(r"j(\d+)\.(\d+)", re.ASCII)
HEAD_FIELDS = (
    "status",
    "slug",
    "version",
    "source",
    "created",
    "started",
    "completed",
    "result",
    "error",
    "spent",
    "usd",
    "markup",
    "models",
    "warnings",
)
RESULT_AT = HEAD_FIELDS.index("result")
NOBODY = "0"
"""The fence in the claim of a node that waits for its retry, or was given back."""
ASIDE = b"\xc1"
"""Stands before the name of a result, or of inputs, kept aside; no msgpack value begins so."""
WALKED_UNCLAIMED = "r0.1"
"""The field for what was recorded without a claim; its times count from the start of the walk."""


def parse_hash(reply: Any) -> dict[str, bytes]:
    """HGETALL's reply by field name, as a map (RESP3) or as a flat list (from a script)."""
    if isinstance(reply, dict):
        return {name.decode(): value for name, value in reply.items()}
    return {reply[i].decode(): reply[i + 1] for i in range(0, len(reply), 2)}


def parse_jobs(record: Mapping[str, bytes]) -> dict[tuple[int, int], bytes]:
    """What nodes must not lose of the jobs that they have begun, by node and item."""
    found = ((JOB_FIELD.fullmatch(name), job) for name, job in record.items())
    return {(int(match[1]), int(match[2])): job for match, job in found if match}


def pack_name(name: str) -> bytes:
    """What stands for a result, or for inputs, kept aside under this name."""
    return ASIDE + name.encode()


def parse_name(value: bytes | None) -> str | None:
    """The name of a result, or of inputs, kept aside; None when they stand there themselves."""
    is_offloaded = value is not None and value.startswith(ASIDE)
    return value[1:].decode(errors="replace") if is_offloaded and value else None


def parse_nodes(record: Mapping[str, bytes]) -> tuple[NodeExecution, ...]:
    """The node executions of a record, in plan order."""
    settled = parse_rows(record)
    statuses = parse_node_statuses(record["statuses"].decode())
    nodes = (
        parse_node(index, status, settled.get(index), record.get(f"n{index}"))
        for index, status in enumerate(statuses)
    )
    return tuple(_timed(node, record) for node in nodes)


def _timed(node: NodeExecution, record: Mapping[str, bytes]) -> NodeExecution:
    """One that was stopped with its execution ran until then."""
    if node.status is not NodeStatus.CANCELLED or node.started_at is None:
        return node
    return replace(node, duration_ms=int(record["completed"]) - node.started_at)


def parse_rows(record: Mapping[str, bytes]) -> dict[int, list[Any]]:
    """What walkers recorded of nodes: [index, attempts, started_at, duration_ms, error, outputs]
    and behind it, for a node that was charged, its credits.

    Outputs are msgpack bytes, None for none, a text when they are kept aside under that name.
    """
    rows: dict[int, list[Any]] = {}
    for name, value in record.items():
        if name[0] == "r" and "." in name:
            rows.update((row[0], row) for row in unpack(value))
    if WALKED_UNCLAIMED in record:
        for row in rows.values():
            row[2] += int(record["started"])
    return rows


def parse_node(
    index: int, status: NodeStatus, row: list[Any] | None, claim: bytes | None = None
) -> NodeExecution:
    """One node of a record: its row once it has settled, its claim before."""
    if row is not None and status not in (NodeStatus.RUNNING, NodeStatus.PENDING):
        _, attempts, started, duration, error, _, *charged = row
        return NodeExecution(
            index=index,
            status=status,
            attempts=attempts,
            started_at=started,
            duration_ms=duration,
            error=error,
            credits_cost=charged[0] if charged else 0,
        )
    if claim is None:
        return NodeExecution(index=index, status=status)
    owner, attempts_text, at, _ = claim.decode().split(":")
    is_claimed = owner != NOBODY and status in (NodeStatus.RUNNING, NodeStatus.CANCELLED)
    started = int(at) if is_claimed else None
    return NodeExecution(
        index=index, status=status, attempts=int(attempts_text), started_at=started
    )


def parse_head(
    account_id: str,
    execution_id: str,
    values: list[bytes | None],
    nodes: tuple[NodeExecution, ...] = (),
) -> Execution:
    """The execution of a record's `HEAD_FIELDS`, its result left aside."""
    status, slug, version, source, created, started, completed, _, error, *charged = values
    spent, usd, markup, models, warnings = charged
    return Execution(
        id=execution_id,
        account_id=account_id,
        workflow_slug=(slug or b"").decode(),
        workflow_version=int(version or 0),
        source=(source or b"").decode(),
        status=ExecutionStatus((status or b"").decode()),
        created_at=int(created or 0),
        started_at=int(started) if started else None,
        completed_at=int(completed) if completed else None,
        error=unpack(error) if error else None,
        credits_cost=int(spent or 0),
        micro_usd=int(usd or 0),
        markup=Decimal((markup or b"1").decode()),
        model_ids=tuple(models.decode().split(",")) if models else (),
        warnings=tuple(unpack(warnings)) if warnings else (),
        nodes=nodes,
    )


def make_cursor(created: int, execution_id: str) -> str:
    """Where the page behind this execution begins."""
    text = f"{created}:{execution_id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def parse_cursor(cursor: str) -> tuple[int, str]:
    """Creation time and id of the execution before the page. Raises ValueError."""
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        created, _, execution_id = base64.urlsafe_b64decode(padded).decode().partition(":")
        return int(created), str(uuid.UUID(execution_id))
    except (ValueError, UnicodeDecodeError):
        raise ValueError("not a cursor of this list") from None
