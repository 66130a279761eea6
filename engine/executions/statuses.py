"""Statuses of executions and of their nodes, and the allowed transitions."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Self


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


class CodedStatus(StrEnum):
    """Status of one of many parts: the store keeps one letter for each, in the parts' order."""

    _value_: str
    code: str

    def __new__(cls, value: str, code: str) -> Self:
        """Make a status with its one-letter code."""
        status = str.__new__(cls, value)
        status._value_ = value
        status.code = code
        return status


class NodeStatus(CodedStatus):
    """Status of a node of an execution; nodes stand in plan order."""

    PENDING = "pending", "p"
    """The node waits for its dependencies."""
    READY = "ready", ""
    """All dependencies have ended and no worker has claimed the node: derived, never stored."""
    RUNNING = "running", "r"
    """A worker has claimed the node and has a lease."""
    RETRYING = "retrying", "t"
    """An attempt failed and the next is due at a recorded time."""
    WAITING = "waiting", "w"
    """The node waits for others without a worker, at most until a recorded time."""
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
            NodeStatus.WAITING,
            NodeStatus.COMPLETED,
            NodeStatus.FAILED,
            NodeStatus.CANCELLED,
        }
    ),
    NodeStatus.RETRYING: frozenset({NodeStatus.RUNNING, NodeStatus.FAILED, NodeStatus.CANCELLED}),
    NodeStatus.WAITING: frozenset({NodeStatus.RUNNING, NodeStatus.FAILED, NodeStatus.CANCELLED}),
    NodeStatus.COMPLETED: frozenset(),
    NodeStatus.FAILED: frozenset(),
    NodeStatus.SKIPPED: frozenset(),
    NodeStatus.CANCELLED: frozenset(),
}

NODE_STATUSES: dict[str, NodeStatus] = {status.code: status for status in NodeStatus if status.code}
"""Stored statuses of nodes by code."""


def parse_status(text: str) -> ExecutionStatus:
    """Return the status of a record; PROCESSING for one of a later release.

    A release may add statuses of executions that go on, but none that ends one: then this reader
    would wait for an end that has come.
    """
    try:
        return ExecutionStatus(text)
    except ValueError:
        return ExecutionStatus.PROCESSING


def parse_node_status(code: str) -> NodeStatus:
    """Return the status of a code; RUNNING for one of a later release, of nodes that go on."""
    return NODE_STATUSES.get(code, NodeStatus.RUNNING)


def parse_node_statuses(codes: str) -> tuple[NodeStatus, ...]:
    """Return the statuses that a string of codes stands for, like `parse_node_status`."""
    try:
        return tuple(map(NODE_STATUSES.__getitem__, codes))
    except KeyError:
        return tuple(map(parse_node_status, codes))


def format_node_statuses(statuses: Iterable[NodeStatus]) -> str:
    """Return the codes of the statuses as one string."""
    return "".join([status.code for status in statuses])
