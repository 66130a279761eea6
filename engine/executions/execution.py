"""Statuses of executions and nodes, their transitions, and the records of both."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from msgspec import Struct


class ExecutionStatus(StrEnum):
    """Status of an execution."""

    PROCESSING = "processing"
    """From `accept` until the last node has ended: queued or claimed by a worker."""
    CANCEL_REQUESTED = "cancel_requested"
    """`cancel` came while workers ran nodes; no further node starts."""
    COMPLETED = "completed"
    """The walker recorded the result."""
    FAILED = "failed"
    """A node failed finally, and its policy does not let the run continue."""
    CANCELLED = "cancelled"
    """`cancel` has taken effect; results of completed nodes are kept."""


class NodeStatus(StrEnum):
    """Status of a node of an execution.

    The store and its scripts keep `code`, one letter per node in plan order.
    """

    _value_: str
    code: str

    def __new__(cls, value: str, code: str) -> "NodeStatus":
        """Make a status with its one-letter code."""
        status = str.__new__(cls, value)
        status._value_ = value
        status.code = code
        return status

    PENDING = "pending", "p"
    """The node waits for its dependencies."""
    READY = "ready", ""
    """All dependencies have ended and no worker has claimed the node: derived, never stored."""
    RUNNING = "running", "r"
    """A worker has claimed the node and has a lease."""
    RETRYING = "retrying", "t"
    """An attempt failed and the next is due at a recorded time."""
    COMPLETED = "completed", "c"
    FAILED = "failed", "f"
    SKIPPED = "skipped", "s"
    """The node does not lead to the output, or follows a branch that was not taken."""
    CANCELLED = "cancelled", "x"


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

NODE_STATUSES: dict[str, NodeStatus] = {status.code: status for status in NodeStatus if status.code}
"""Stored statuses of nodes by code."""


def parse_node_statuses(codes: str) -> tuple[NodeStatus, ...]:
    """Return the statuses that a string of codes stands for. Raises KeyError."""
    return tuple(map(NODE_STATUSES.__getitem__, codes))


def format_node_statuses(statuses: Iterable[NodeStatus]) -> str:
    """Return the codes of the statuses as one string."""
    return "".join([status.code for status in statuses])


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeExecution:
    """Record of one node of an execution. Times are milliseconds since the epoch."""

    index: int
    status: NodeStatus
    attempts: int = 0
    started_at: int | None = None
    duration_ms: int | None = None
    error: dict[str, Any] | None = None
    credits_cost: int = 0
    outputs: bytes | str | None = field(default=None, repr=False, compare=False)
    """Packed outputs, or the name of offloaded ones; None: none on record."""


class ExecutionOutcome(Struct, frozen=True, kw_only=True):
    """Final status and result of an execution, without the rest of its record."""

    id: str
    status: ExecutionStatus
    result: Any
    error: dict[str, Any] | None
    credits_cost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """Record of one run of a workflow or model. Times are milliseconds since the epoch."""

    id: str
    account_id: str
    workflow_slug: str
    """Empty for a run of one model."""
    workflow_version: int
    """0 for a run of a draft or of one model, and where the caller may not know it."""
    source: str
    status: ExecutionStatus
    created_at: int
    started_at: int | None = None
    completed_at: int | None = None
    result: Any = None
    error: dict[str, Any] | None = None
    credits_cost: int = 0
    micro_usd: int = 0
    """Price of the provider calls, in millionths of a USD."""
    markup: Decimal = Decimal(1)
    model_ids: tuple[str, ...] = ()
    """Internal names of the models in the plan."""
    warnings: tuple[str, ...] = ()
    """Warnings about the request, as sentences."""
    owner_id: str = ""
    """Account of the workflow, if it is another one's; empty: the execution's own."""
    retry_of: str | None = None
    """Failed execution that this one retries; None: it is no retry."""
    nodes: tuple[NodeExecution, ...] = ()
    """Records of the nodes in plan order; empty if only the head was read."""

    @property
    def duration_ms(self) -> int | None:
        """Time from acceptance to the end, None before the end."""
        return None if self.completed_at is None else self.completed_at - self.created_at
