"""Records of executions and of their nodes."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from msgspec import Struct

from engine.executions.node_waits import NodeWait
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.telemetry.traces.context import recorded_trace


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


class ChildPlace(Struct, frozen=True, kw_only=True):
    """Place of an execution that a node of another one, its parent, began."""

    parent_id: str
    node_id: str
    """Id of the node in the parent's graph."""
    index: int
    """Index of the item, from 0."""
    root_id: str
    """First execution above, which is no child."""
    depth: int
    """Number of executions above, at least 1; runs over HTTP that led to the root count too."""


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
    tags: tuple[str, ...] = ()
    """Tags that its caller gave it."""
    batch_id: str | None = None
    """Batch whose item it is; None: it is none."""
    batch_index: int | None = None
    """Index of the item in its batch."""
    trigger_id: str | None = None
    """Trigger that started it; None: none did."""
    occurrence_id: str | None = None
    """Occurrence of the trigger that started it."""
    alias: str | None = None
    """Alias that chose its version; None: none was named, and `live` had no canary."""
    trace: str = ""
    """Header of the span above its own; empty: no trace, or a row of the history was read."""
    child: ChildPlace | None = None
    """Place below the execution that began it; None: it is a root."""
    nodes: tuple[NodeExecution, ...] = ()
    """Records of the nodes in plan order; empty if only the head was read."""
    waits: tuple[NodeWait, ...] = ()
    """Open waits of its nodes; empty if only the head was read."""
    has_waited: bool = False
    """Whether it or an execution below it has waited; False if only the head was read."""

    @property
    def trace_id(self) -> str | None:
        """Return the id of the trace that it belongs to, None without a `trace`."""
        trace = recorded_trace(self.trace)
        return None if trace is None else trace.trace_id

    @property
    def is_child(self) -> bool:
        """Return whether a node of another execution began it."""
        return self.child is not None

    @property
    def duration_ms(self) -> int | None:
        """Time from acceptance to the end, None before the end."""
        return None if self.completed_at is None else self.completed_at - self.created_at
