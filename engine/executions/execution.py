"""What an execution and its nodes can be, who moves them, and the moves that are allowed."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any


class ExecutionStatus(StrEnum):
    """Where an execution is."""

    PROCESSING = "processing"
    """From `accept` until the last node has ended; a queue or a worker has it."""
    CANCEL_REQUESTED = "cancel_requested"
    """`cancel` was asked for while workers held nodes; no further node starts."""
    COMPLETED = "completed"
    """The walker recorded the result."""
    FAILED = "failed"
    """A node failed for good and the workflow did not allow it to go on."""
    CANCELLED = "cancelled"
    """`cancel` has taken effect; what had finished is kept."""


class NodeStatus(StrEnum):
    """Where a node of an execution is."""

    PENDING = "pending"
    """Waits for its dependencies."""
    READY = "ready"
    """All dependencies have ended and nobody has claimed it (derived, never stored)."""
    RUNNING = "running"
    """A worker has claimed it and holds a lease."""
    RETRYING = "retrying"
    """An attempt failed and the next is due at a time that is on record."""
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not on the way to the output, or behind a branch that was not taken."""
    CANCELLED = "cancelled"


TERMINAL = frozenset({ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.CANCELLED})
NODE_TERMINAL = frozenset(
    {NodeStatus.COMPLETED, NodeStatus.FAILED, NodeStatus.SKIPPED, NodeStatus.CANCELLED}
)

TRANSITIONS: dict[ExecutionStatus, frozenset[ExecutionStatus]] = {
    ExecutionStatus.PROCESSING: frozenset(
        {
            ExecutionStatus.CANCEL_REQUESTED,
            ExecutionStatus.COMPLETED,
            ExecutionStatus.FAILED,
            ExecutionStatus.CANCELLED,
        }
    ),
    ExecutionStatus.CANCEL_REQUESTED: frozenset({ExecutionStatus.CANCELLED}),
    ExecutionStatus.COMPLETED: frozenset(),
    ExecutionStatus.FAILED: frozenset(),
    ExecutionStatus.CANCELLED: frozenset(),
}

NODE_TRANSITIONS: dict[NodeStatus, frozenset[NodeStatus]] = {
    NodeStatus.PENDING: frozenset(
        {
            NodeStatus.READY,
            NodeStatus.RUNNING,
            NodeStatus.COMPLETED,
            NodeStatus.FAILED,
            NodeStatus.SKIPPED,
            NodeStatus.CANCELLED,
        }
    ),
    NodeStatus.READY: frozenset(
        {NodeStatus.RUNNING, NodeStatus.COMPLETED, NodeStatus.FAILED, NodeStatus.CANCELLED}
    ),
    NodeStatus.RUNNING: frozenset(
        {
            NodeStatus.PENDING,
            NodeStatus.RETRYING,
            NodeStatus.COMPLETED,
            NodeStatus.FAILED,
            NodeStatus.CANCELLED,
        }
    ),
    NodeStatus.RETRYING: frozenset({NodeStatus.RUNNING, NodeStatus.FAILED, NodeStatus.CANCELLED}),
    NodeStatus.COMPLETED: frozenset(),
    NodeStatus.FAILED: frozenset(),
    NodeStatus.SKIPPED: frozenset(),
    NodeStatus.CANCELLED: frozenset(),
}

NODE_CODES: dict[NodeStatus, str] = {
    NodeStatus.PENDING: "p",
    NodeStatus.RUNNING: "r",
    NodeStatus.RETRYING: "t",
    NodeStatus.COMPLETED: "c",
    NodeStatus.FAILED: "f",
    NodeStatus.SKIPPED: "s",
    NodeStatus.CANCELLED: "x",
}
"""One character per node, in plan order: what the store keeps and scripts check."""
NODE_STATUSES: dict[str, NodeStatus] = {code: status for status, code in NODE_CODES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeExecution:
    """One node within an execution, as it is on record. Times are milliseconds since the epoch."""

    index: int
    status: NodeStatus
    attempts: int = 0
    started_at: int | None = None
    duration_ms: int | None = None
    error: dict[str, Any] | None = None
    credits_cost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionEnd:
    """How an execution ended, without the rest of its record."""

    id: str
    status: ExecutionStatus
    result: Any
    error: dict[str, Any] | None
    credits_cost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One run of a workflow, as it is on record. Times are milliseconds since the epoch."""

    id: str
    account_id: str
    workflow_slug: str
    """Empty for a run of one model."""
    workflow_version: int
    source: str
    status: ExecutionStatus
    created_at: int
    started_at: int | None = None
    completed_at: int | None = None
    result: Any = None
    error: dict[str, Any] | None = None
    credits_cost: int = 0
    micro_usd: int = 0
    """What the providers ask for, in millionths of a USD."""
    markup: Decimal = Decimal(1)
    model_ids: tuple[str, ...] = ()
    """Internal names of the models in it."""
    warnings: tuple[str, ...] = ()
    """Sentences about the request that it began with."""
    nodes: tuple[NodeExecution, ...] = ()
    """In plan order; empty where only the head was read."""

    @property
    def duration_ms(self) -> int | None:
        """From acceptance to the end, None while it goes on."""
        return None if self.completed_at is None else self.completed_at - self.created_at
