"""Types of answers. Times are aware datetimes, costs are credits (1,000 to the US dollar).

`raw` has all members of the answer, those too that this version of the client does not know.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

ExecutionStatus = Literal[
    "processing", "waiting", "cancel_requested", "completed", "failed", "cancelled"
]
BatchStatus = Literal["processing", "completed", "cancelled"]
ItemStatus = Literal["queued", "processing", "completed", "failed", "cancelled"]
TriggerKind = Literal["schedule", "webhook"]
WaitKind = Literal["delay", "approval"]
Decision = Literal["approve", "refuse"]
AnswererKind = Literal["session", "key", "link", "timeout"]
OccurrenceStatus = Literal["started", "skipped", "failed", "missed"]
ENDED = frozenset({"completed", "failed", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTarget:
    """Whether a webhook is told of the end, and its URL."""

    configured: bool
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedRun:
    """A run that was accepted and is not waited for."""

    execution_id: str
    request_id: str
    status: ExecutionStatus
    poll_url: str
    webhook_delivery: WebhookTarget
    warnings: tuple[str, ...] = ()

    @property
    def webhook_url(self) -> str | None:
        """URL that is told of the end; None without a webhook."""
        return self.webhook_delivery.url


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFailure:
    """Why an execution or a node failed."""

    code: str
    message: str
    node_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildCounts:
    """Executions that a node began, by status; one that never began may have failed too."""

    queued: int = 0
    processing: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRun:
    """One node of an execution."""

    id: str
    type: str
    status: str
    attempts: int
    started_at: datetime | None
    duration_ms: int | None
    credits_cost: float
    error: RunFailure | None
    child_count: int | None = None
    """Executions that it begins, its children; None: it begins none."""
    child_statuses: ChildCounts | None = None
    child_execution_ids: tuple[str, ...] = ()
    """The first 100 that have begun; `executions.list` with `parent_id` has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A node that waits: for a time, or for the answer of a person."""

    node_id: str
    kind: WaitKind
    since: datetime
    until: datetime
    """Time at which it goes on by itself; of an approval, the end of the time to answer."""
    execution_id: str | None = None
    """Execution below this one whose node waits; None: a node of this one does."""
    title: str | None = None
    """Question of an approval; None of a delay."""
    message: str | None = None
    fields: tuple[Mapping[str, Any], ...] = ()
    """Form of the answer."""
    url: str | None = None
    """Link at which its holder answers; None for callers without `execution:approve`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A question of a run that waits for an answer."""

    execution_id: str
    root_id: str | None
    """Execution that a caller began; None: it is this one."""
    node_id: str
    workflow_slug: str | None
    title: str
    message: str
    fields: tuple[Mapping[str, Any], ...]
    """Form of the answer."""
    since: datetime
    until: datetime
    url: str | None
    """Link at which its holder answers, without an account."""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerer:
    """Answerer: a session, a key, the holder of the link, or the end of the time."""

    kind: AnswererKind
    id: str | None = None
    """Id of the session or the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalAnswer:
    """The answer that counts."""

    decision: Decision
    fields: Mapping[str, Any]
    note: str | None
    by: Answerer
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """An execution; those of lists have no nodes and no inputs."""

    execution_id: str
    workflow_slug: str | None
    workflow_version: int | None
    source: str
    status: ExecutionStatus
    result: Any
    error: RunFailure | None
    credits_cost: float
    duration_ms: int | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    model_ids: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    batch_id: str | None = None
    batch_index: int | None = None
    alias: str | None = None
    """Alias that chose its version; None: none did."""
    replay_id: str | None = None
    """Replay that began it; None: none did."""
    test_run_id: str | None = None
    """Test run that began it; None: none did."""
    trigger_id: str | None = None
    """Trigger that started it; None: none did."""
    occurrence_id: str | None = None
    parent_id: str | None = None
    """Execution whose node began it; None: a caller did."""
    parent_node_id: str | None = None
    root_id: str | None = None
    """First execution above it, which a caller began; None: it is one."""
    depth: int = 0
    child_index: int | None = None
    """Index of its item among those of the parent's node, from 0."""
    warnings: tuple[str, ...] = ()
    nodes: tuple[NodeRun, ...] = ()
    waiting_for: tuple[Wait, ...] = ()
    """Its nodes that wait, and those of executions below it: the first 100 of these."""
    inputs: Mapping[str, Any] | None = None
    key_id: str | None = None
    retry_of: str | None = None
    trace_id: str | None = None
    """Trace that it belongs to; None: none."""
    trace_url: str | None = None
    """Page of that trace, where the operator has set one up."""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def has_ended(self) -> bool:
        """Whether it is completed, failed or cancelled."""
        return self.status in ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvent:
    """An event of a run, such as `node.finished`; the last is `execution.finished`."""

    id: str
    """Resumes a stream after this event."""
    event: str
    data: Mapping[str, Any]

    @property
    def execution_id(self) -> str:
        """Id of the execution."""
        return str(self.data["executionId"])


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedBatch:
    """A batch that was accepted."""

    batch_id: str
    items: int
    status: BatchStatus = "processing"
    poll_url: str = ""
    warnings: tuple[str, ...] = ()
    """Sentences about members of the request that were ignored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCounts:
    """Items of a batch by status."""

    queued: int = 0
    processing: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch: many runs of one workflow."""

    batch_id: str
    workflow_slug: str
    workflow_version: int | None
    status: BatchStatus
    counts: BatchCounts
    credits_cost: float
    created_at: datetime
    completed_at: datetime | None
    tags: tuple[str, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it is queued or runs."""
        return self.status in ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchItem:
    """One item of a batch, by its index from 0."""

    index: int
    status: ItemStatus
    execution_id: str | None
    result: Any
    error: RunFailure | None
    credits_cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """A due time or an event of a trigger, and its outcome."""

    id: str
    at: datetime
    """The due time, or the time of the event."""
    status: OccurrenceStatus
    reason: str | None
    execution_id: str | None
    """The run that it started."""
    count: int = 1
    """Number of missed due times that it stands for."""
    body: Any = None
    """Body of an event; None of a schedule, in lists, and where it is not kept any more."""
    headers: Mapping[str, str] | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerWebhook:
    """Webhook that is told of the runs of a trigger."""

    url: str
    events: tuple[str, ...] = ()
    """Events that were set; empty: the three ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A schedule or an inbound webhook; members of the other kind are None."""

    id: str
    kind: TriggerKind
    name: str
    workflow_slug: str
    enabled: bool
    created_by: str | None
    """Id of the key that made it; None: a browser's session."""
    created_at: datetime
    updated_at: datetime
    last_occurrence: Occurrence | None = None
    version: int | None = None
    """Version that it runs; None: the live one."""
    max_credits: int | None = field(default=None, metadata={"name": "max_credits"})
    webhook: TriggerWebhook | None = None
    cron: str | None = None
    timezone: str | None = None
    inputs: Mapping[str, Any] | None = None
    overlap: str | None = None
    missed: str | None = None
    next_at: datetime | None = None
    url: str | None = None
    """URL that starts runs; keep it secret."""
    verify: Mapping[str, str] | None = None
    when: str | None = None
    event_id: str | None = None
    respond: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedOccurrence:
    """A run that a schedule has started at a call."""

    execution_id: str
    occurrence_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventProblem:
    """Reason for which an event would start no run."""

    field: str
    """Setting of the trigger."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTest:
    """Outcome of a test of an inbound webhook."""

    would_run: bool
    inputs: Mapping[str, Any]
    problems: tuple[EventProblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A picture, a video, a sound or a document, with a signed link to its bytes."""

    id: str
    url: str
    content_type: str
    bytes: int
    created_at: datetime
    expires_at: datetime | None = None
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
