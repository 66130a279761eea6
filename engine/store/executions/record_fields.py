"""Record of an execution in the store: its fields and their parsing."""

import base64
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from sys import intern
from typing import Any, Self

from msgspec import Struct

from engine.errors import InvalidCursor
from engine.executions.execution import ChildPlace, Execution, NodeExecution
from engine.executions.filter import Position
from engine.executions.public_runs import hide_details
from engine.executions.rows import NodeRow, StepRows, unpack_rows
from engine.executions.statuses import NodeStatus, parse_node_statuses, parse_status
from engine.executions.tags import parse_tags
from engine.store.redis.record_packing import unpack
from engine.store.releases.keys import ALIAS

JOB_FIELD = re.compile(r"j(\d+)\.(\d+)", re.ASCII)
STEP_ROWS = re.compile(r"r\d+\.\d+", re.ASCII)
STEP_OUTPUTS = re.compile(r"o\d+\.\d+", re.ASCII)
UNKNOWN = "unknown"
"""Field of a part that workers do not know, after the time since when: `<milliseconds>:<words>`."""
CHILD_FIELDS = ("parent", "parent_node_id", "child", "root", "depth")
"""Fields of an execution that a node of another one began; others have at most the last."""
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
    "owner",
    "retry_of",
    "tags",
    "batch",
    "item",
    "trigger",
    "occurrence",
    ALIAS,
    UNKNOWN,
    "trace",
    *CHILD_FIELDS,
)
PLACE_AT = HEAD_FIELDS.index(CHILD_FIELDS[0])
RESULT_AT = HEAD_FIELDS.index("result")
ASIDE = b"\xc1"
"""First byte of the name of an offloaded result or inputs; no msgpack value begins with it."""
WALKED_UNCLAIMED = "r0.1"
"""Field of rows recorded without a claim; their times count from the start of the walk."""
SEEDED, SEEDED_OUTPUTS = "r0.0", "o0.0"
"""Fields of rows of nodes that were settled from the start, and of their outputs."""
CALLS = "calls"
"""Field of an execution of a replay: the kind of its calls."""
BOOK = "book"
"""Field with the outcomes that nodes of a replay take from the earlier execution."""
WAITED = frozenset({NodeStatus.WAITING, NodeStatus.RUNNING, NodeStatus.CANCELLED})
"""Statuses of nodes whose begin may be that of an attempt which has waited since."""


class NodeClaim(Struct, frozen=True):
    """Claim of a node."""

    fence: int
    """Fence of the owner; 0: none, it waits for a retry or was given back."""
    attempts: int
    """Attempts that have begun."""
    at: int
    """Begin of the attempt, or time of the retry, in milliseconds since the epoch."""
    lost: int
    """Attempts whose worker died."""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the claim of a record."""
        return cls(*map(int, data.split(b":")[:4]))


def parse_hash(reply: Any) -> dict[str, bytes]:
    """Return HGETALL's reply by field name, from a map (RESP3) or a script's flat list.

    Thousands of records share the texts of their names.
    """
    if isinstance(reply, dict):
        return {intern(name.decode()): value for name, value in reply.items()}
    return {intern(reply[i].decode()): reply[i + 1] for i in range(0, len(reply), 2)}


def parse_jobs(record: Mapping[str, bytes]) -> dict[tuple[int, int], bytes]:
    """Return the checkpoints of nodes' provider jobs, by node and item."""
    matches = ((JOB_FIELD.fullmatch(name), job) for name, job in record.items())
    return {(int(match[1]), int(match[2])): job for match, job in matches if match}


def parse_answer_batches(record: Mapping[str, bytes]) -> dict[int, int]:
    """Return the number of batches of item answers on record, by node."""
    counts = (
        each.split("=") for each in record.get("answer_batches", b"").decode().split(",") if each
    )
    return {int(index): int(count) for index, count in counts}


def pack_name(name: str) -> bytes:
    """Return the bytes that replace an offloaded result or inputs on record."""
    return ASIDE + name.encode()


def parse_name(value: bytes | None) -> str | None:
    """Return the name of an offloaded value; None for a value on record."""
    is_offloaded = value is not None and value.startswith(ASIDE)
    return value[1:].decode(errors="replace") if is_offloaded and value else None


def are_values_dropped(record: Mapping[str, bytes]) -> bool:
    """Return whether inputs and outputs were removed at the end, as the workflow wants it."""
    return "dropped" in record


def has_all_outputs(record: Mapping[str, bytes]) -> bool:
    """Return whether the outputs of all completed nodes are on record.

    They are not where the workflow does not record them, nor of a run that was walked before its
    claim, which has completed and whose nodes are pure.
    """
    return not are_values_dropped(record) and WALKED_UNCLAIMED not in record


def parse_nodes(record: Mapping[str, bytes]) -> tuple[NodeExecution, ...]:
    """Return the node executions of a record, in plan order."""
    settled = parse_rows(record)
    statuses = parse_node_statuses(record["statuses"].decode())
    nodes = (
        parse_node(index, status, settled.get(index), record.get(f"n{index}"))
        for index, status in enumerate(statuses)
    )
    return tuple(_timed(node, record) for node in nodes)


def begin_field(index: int) -> str:
    """Return the field with the time at which the attempt at a node began that has waited."""
    return f"b{index}"


def _timed(node: NodeExecution, record: Mapping[str, bytes]) -> NodeExecution:
    """Add the begin of a node that waits, and the duration of one that the end has stopped."""
    begun = record.get(begin_field(node.index))
    if begun is not None and node.status in WAITED:
        node = replace(node, started_at=int(begun))
    if node.status is not NodeStatus.CANCELLED or node.started_at is None:
        return node
    return replace(node, duration_ms=int(record["completed"]) - node.started_at)


def parse_rows(record: Mapping[str, bytes]) -> dict[int, NodeRow]:
    """Return the rows of settled nodes, by node.

    Outputs that the end may remove stand in fields of their own.
    """
    rows = {row.index: row for _, step in read_step_rows(record) for row in step.nodes}
    for name, value in record.items():
        if name[0] == "o" and STEP_OUTPUTS.fullmatch(name):
            for index, outputs in unpack(value).items():
                rows[index].outputs = outputs
    return rows


def read_step_rows(record: Mapping[str, bytes]) -> Iterator[tuple[str, StepRows]]:
    """Yield the rows of each step with the fence of its walk."""
    for name, value in record.items():
        if name[0] == "r" and STEP_ROWS.fullmatch(name):
            rows = unpack_rows(value)
            if name == WALKED_UNCLAIMED:
                for row in rows.nodes:
                    row.started_at = int(record["started"]) + (row.started_at or 0)
            yield name[1:].partition(".")[0], rows


def parse_node(
    index: int, status: NodeStatus, row: NodeRow | None, claim: bytes | None = None
) -> NodeExecution:
    """Return one node of a record: by its row once settled, by its claim before."""
    if row is not None and status not in (NodeStatus.RUNNING, NodeStatus.PENDING):
        return NodeExecution(
            index=index,
            status=status,
            attempts=row.attempts,
            started_at=row.started_at,
            duration_ms=row.duration_ms,
            error=row.error,
            credits_cost=row.credits,
            outputs=row.outputs,
        )
    if claim is None:
        return NodeExecution(index=index, status=status)
    claimed = NodeClaim.parse(claim)
    if status is NodeStatus.WAITING:  # the claim does not count the attempt, which goes on
        return NodeExecution(index=index, status=status, attempts=claimed.attempts + 1)
    is_owned = claimed.fence > 0 and status in (NodeStatus.RUNNING, NodeStatus.CANCELLED)
    started = claimed.at if is_owned else None
    return NodeExecution(index=index, status=status, attempts=claimed.attempts, started_at=started)


def parse_head(
    account_id: str,
    execution_id: str,
    values: list[bytes | None],
    nodes: tuple[NodeExecution, ...] = (),
) -> Execution:
    """Return the execution of a record's `HEAD_FIELDS`, without its result.

    One of another account's workflow has no version, models and nodes.
    """
    status, slug, version, source, created, started, completed, _, error, *charged = values[
        :PLACE_AT
    ]
    spent, usd, markup, models, warnings, owner, retry_of, tags, *cause = charged
    batch, item, trigger, occurrence, alias, unknown, trace = cause
    execution = Execution(
        id=execution_id,
        account_id=account_id,
        workflow_slug=(slug or b"").decode(),
        workflow_version=int(version or 0),
        source=(source or b"").decode(),
        status=parse_status((status or b"").decode()),
        created_at=int(created or 0),
        started_at=int(started) if started else None,
        completed_at=int(completed) if completed else None,
        error=unpack(error) if error else None,
        credits_cost=int(spent or 0),
        micro_usd=int(usd or 0),
        markup=Decimal((markup or b"1").decode()),
        model_ids=tuple(models.decode().split(",")) if models else (),
        warnings=_warnings(warnings, unknown if not (completed or owner) else None),
        owner_id=owner.decode() if owner else "",
        retry_of=retry_of.decode() if retry_of else None,
        tags=parse_tags(tags),
        batch_id=batch.decode() if batch else None,
        batch_index=int(item) if batch and item else None,
        trigger_id=trigger.decode() if trigger else None,
        occurrence_id=occurrence.decode() if occurrence else None,
        alias=alias.decode() if alias else None,
        trace=trace.decode() if trace else "",
        child=_parse_place(*values[PLACE_AT:]),
        nodes=nodes,
    )
    return hide_details(execution) if owner else execution


def _parse_place(
    parent: bytes | None,
    node_id: bytes | None,
    index: bytes | None,
    root: bytes | None,
    depth: bytes | None,
) -> ChildPlace | None:
    """Return the place of a child from its fields, None for another execution."""
    if parent is None:
        return None
    return ChildPlace(
        parent_id=parent.decode(),
        node_id=(node_id or b"").decode(),
        index=int(index or 0),
        root_id=(root or parent).decode(),
        depth=int(depth or 2) - 1,
    )


def _warnings(packed: bytes | None, unknown: bytes | None) -> tuple[str, ...]:
    """Return the sentences about a request, and one about the part that no worker knows yet."""
    warnings = tuple(unpack(packed)) if packed else ()
    if unknown is None:
        return warnings
    part = unknown.partition(b":")[2].decode()
    return (*warnings, f"The execution waits for a worker that knows {part}")


MOST_AT = 2**53
"""Times are below it: Redis, Lua and databases have them exactly."""


def make_cursor(at: int, name: str) -> str:
    """Return the cursor of the page after the row of this time and name."""
    text = f"{at}:{name}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def parse_cursor(cursor: str) -> Position:
    """Return the position of a cursor in a list. Raises InvalidCursor."""
    created, execution_id = split_cursor(cursor)
    try:
        return Position(created, str(uuid.UUID(execution_id)))
    except ValueError:
        raise InvalidCursor from None


def split_cursor(cursor: str) -> tuple[int, str]:
    """Return time and name of a cursor's row. Raises InvalidCursor."""
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        text, _, name = base64.urlsafe_b64decode(padded).decode().partition(":")
        at = int(text)
    except (ValueError, UnicodeDecodeError):
        raise InvalidCursor from None
    if not 0 <= at < MOST_AT:
        raise InvalidCursor
    return at, name
