"""Types of runs and executions, in requests, answers and events."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from msgspec import UNSET, UnsetType, field

from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.executions.trace_links import NO_LINKS, TraceLinks
from engine.graph.plan import NodeName
from engine.store.executions.read.details import ExecutionDetails
from gateway.http.types import (
    OBJECT,
    Credits,
    Moment,
    Nested,
    RequestBody,
    Uuid,
    View,
    described_as,
    doc,
    refused,
)
from gateway.openapi.examples import (
    CREATED,
    ENDED,
    EXECUTION_ID,
    KEY_ID,
    REQUEST_ID,
    RESULT,
    STARTED,
    TRACE_ID,
)
from gateway.runs.node_views import ChildrenOfNode, NodeFailure, NodeView, child_members
from gateway.runs.places import place_members
from gateway.runs.tags import Tags
from gateway.runs.webhooks import WebhookMember, WebhookOfRun
from gateway.waits.views import WAITING, WaitView

ERROR_MEMBERS = ("code", "message", "nodeId")
"""Members of an execution's error that are shown."""

Warnings = Annotated[
    Sequence[str] | UnsetType,
    doc("Sentences about inputs and members that were ignored; absent without any."),
]


class RunRequest(RequestBody):
    """Inputs, tags and webhook of a run. Other members are ignored, and named in `warnings`."""

    inputs: Annotated[
        OBJECT,
        doc("A value for each field of the workflow's schema."),
        refused("must be an object"),
    ]
    tags: Tags = field(default_factory=list)
    webhook: WebhookMember = None


class RunResult(View):
    """Result of a run that was waited for."""

    links = {"get_execution": {"execution_id": "executionId"}}

    success: Literal[True]
    result: Annotated[Any, doc("Value of the workflow's Response Output.")]
    cost: Credits
    ms: Annotated[int, doc("Milliseconds that the server took.")]
    execution_id: Uuid
    warnings: Warnings = UNSET


class WebhookDelivery(Nested):
    """Whether a webhook receives the end, and its URL."""

    configured: bool
    url: str | UnsetType = UNSET


class AcceptedView(View, kw_only=True):
    """An accepted run that is not waited for."""

    links = {
        name: {"execution_id": "executionId"}
        for name in ("get_execution", "watch_execution", "cancel_execution")
    }

    is_async: Literal[True] = field(name="_async")
    execution_id: Uuid
    request_id: str
    status: Literal["processing"]
    webhook_delivery: WebhookDelivery
    poll_url: str
    warnings: Warnings = UNSET

    @classmethod
    def for_execution(
        cls, execution_id: str, webhook_url: str | None = None, warnings: Sequence[str] = ()
    ) -> Self:
        """Build the answer that leads to the execution."""
        return cls(
            is_async=True,
            execution_id=execution_id,
            request_id=execution_id,
            status="processing",
            webhook_delivery=WebhookDelivery(bool(webhook_url), webhook_url or UNSET),
            poll_url=f"/api/executions/{execution_id}",
            warnings=warnings or UNSET,
        )


class ExecutionFailure(NodeFailure):
    """Reason why an execution failed, and the node that caused it."""

    node_id: str | UnsetType = UNSET


class ExecutionRow(View, kw_only=True):
    """An execution without its nodes."""

    execution_id: Uuid
    request_id: str
    workflow_slug: str | None
    workflow_version: Annotated[
        int | None, doc("Null for a run of a draft, and for a public workflow of another account.")
    ]
    source: str
    status: ExecutionStatus
    result: Any
    error: Annotated[OBJECT | None, described_as(ExecutionFailure | None)]
    credits_cost: Credits
    duration_ms: int | None
    created_at: Moment
    started_at: Moment | None
    completed_at: Moment | None
    model_ids: Sequence[str]
    tags: Sequence[str]
    batch_id: Annotated[Uuid | None, doc("The batch whose item it is; null: it is none.")]
    batch_index: Annotated[int | None, doc("The index of the item in its batch, from 0.")]
    replay_id: Annotated[Uuid | None, doc("The replay that it belongs to; null: to none.")] = None
    test_run_id: Annotated[Uuid | None, doc("The test run that it belongs to; null: to none.")] = (
        None
    )
    trigger_id: Annotated[str | None, doc("The trigger that started it; null: none did.")]
    occurrence_id: Annotated[Uuid | None, doc("The occurrence of the trigger that started it.")]
    alias: Annotated[
        str | None,
        doc("The alias that chose its version; null: none was named, and `live` had no canary."),
    ]
    parent_id: Annotated[
        Uuid | None, doc("The execution whose node began it; null: a caller began it.")
    ] = None
    parent_node_id: Annotated[str | None, doc("The node of the parent that began it.")] = None
    root_id: Annotated[
        Uuid | None, doc("The first execution above it, which a caller began; null: it is one.")
    ] = None
    depth: Annotated[
        int, doc("Executions above it; calls over HTTP that led to the root count too.")
    ] = 0
    child_index: Annotated[
        int | None, doc("The index of its item among those of the parent's node, from 0.")
    ] = None
    warnings: Warnings = UNSET

    @classmethod
    def from_record(cls, record: Execution, **members: Any) -> Self:
        """Build the view of an execution, with the members that only some answers have."""
        members |= place_members(record)
        members |= {
            "execution_id": record.id,
            "request_id": record.id,
            "workflow_slug": record.workflow_slug or None,
            "workflow_version": None if _is_hidden_version(record) else record.workflow_version,
            "error": _shown(record.error),
            "warnings": record.warnings or UNSET,
        }
        return super().from_record(record, **members)


def _is_hidden_version(record: Execution) -> bool:
    return bool(record.workflow_slug) and not record.workflow_version


class LinkedAsset(Nested):
    """An asset that a link in a result leads to."""

    id: str
    url: str


class ExecutionDelivery(Nested):
    """Delivery of an execution's end to a webhook."""

    id: str
    key_id: Annotated[str | None, doc("The API key of the webhook; null: it is the run's own.")]


class ExecutionView(ExecutionRow, kw_only=True):
    """An execution with its nodes."""

    inputs: Annotated[
        OBJECT | None,
        doc(
            "Values by field, without those that no node reads. Over 64 KiB together they are"
            " `{truncated: true, bytes, url}`, and `url` answers with them. Null: they were not"
            " recorded."
        ),
    ]
    key_id: Annotated[str | None, doc("The API key that started it; null: a session did.")]
    http_request_id: Annotated[
        str | None, doc("The `X-Request-Id` of the accepted request; null: none was recorded.")
    ]
    trace_id: Annotated[
        str | None, doc("The trace that it belongs to, by the caller's `traceparent`; null: none.")
    ]
    trace_url: Annotated[
        str | None, doc("The page of that trace, where the operator has set one up; null: none.")
    ]
    deliveries: Annotated[
        list[ExecutionDelivery], doc("Deliveries of its end to webhooks; empty before the end.")
    ]
    nodes: list[NodeView]
    assets: Annotated[
        list[LinkedAsset] | UnsetType,
        doc("The assets that links in the result lead to; absent without any."),
    ] = UNSET
    retry_of: Annotated[
        Uuid | None, doc("The failed execution that this one retries; null: it is no retry.")
    ] = None
    waiting_for: Annotated[
        list[WaitView],
        doc(
            "Its nodes that wait, and up to 100 of executions below it; empty when none does, of a"
            " public workflow of another account, and after the end."
        ),
    ]

    @classmethod
    def with_nodes(
        cls,
        execution: Execution,
        details: ExecutionDetails,
        names: Sequence[NodeName],
        links: Mapping[str, str] | None = None,
        below: Mapping[int, ChildrenOfNode] | None = None,
        waiting_for: Sequence[WaitView] = (),
        trace_links: TraceLinks = NO_LINKS,
    ) -> Self:
        """Build the view of an execution with its nodes, named as in the execution's version.

        Without names there are no nodes. `links` maps links in the result to ids of their assets,
        `below` indexes of nodes to their children.
        """
        children = below or {}
        nodes = [
            NodeView.from_record(
                node,
                id=names[node.index].id,
                type=names[node.index].type,
                **child_members(children.get(node.index)),
            )
            for node in execution.nodes
            if names
        ]
        assets = [LinkedAsset(asset_id, url) for url, asset_id in (links or {}).items()]
        delivery_id, key_id = details.delivery_id, details.key_id
        told = ExecutionDelivery(delivery_id, details.delivery_key_id)
        return cls.from_record(
            execution,
            inputs=shown_inputs(execution.id, details),
            key_id=key_id or None,
            http_request_id=details.request_id or None,
            trace_id=execution.trace_id,
            trace_url=trace_links.url_of(execution.trace_id),
            deliveries=[told] if delivery_id else [],
            nodes=nodes,
            assets=assets or UNSET,
            waiting_for=list(waiting_for),
        )


def shown_inputs(execution_id: str, details: ExecutionDetails) -> dict[str, Any] | None:
    """Return the inputs of an execution, or the link to large ones; None: none on record."""
    if details.inputs is not None:
        return dict(details.inputs)
    if not details.inputs_bytes:
        return None
    return by_link(details.inputs_bytes, f"/api/executions/{execution_id}/values")


def by_link(size: int, url: str) -> dict[str, Any]:
    """Return the members that replace a large value."""
    return {"truncated": True, "bytes": size, "url": url}


def _shown(error: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if error is None:
        return None
    return {name: error[name] for name in ERROR_MEMBERS if name in error}


ROW: dict[str, Any] = {
    "execution_id": EXECUTION_ID,
    "request_id": EXECUTION_ID,
    "workflow_slug": "greeting",
    "workflow_version": 3,
    "source": "api-workflow",
    "status": ExecutionStatus.COMPLETED,
    "result": RESULT,
    "error": None,
    "credits_cost": 0,
    "duration_ms": 27,
    "created_at": CREATED,
    "started_at": STARTED,
    "completed_at": ENDED,
    "model_ids": [],
    "tags": ["nightly"],
    "batch_id": None,
    "batch_index": None,
    "replay_id": None,
    "test_run_id": None,
    "trigger_id": None,
    "occurrence_id": None,
    "alias": None,
    "parent_id": None,
    "parent_node_id": None,
    "root_id": None,
    "depth": 0,
    "child_index": None,
}
EXECUTION_ROW = ExecutionRow(**ROW)
RunRequest.examples = (
    RunRequest({"name": "Ada"}),
    RunRequest({"name": "Ada"}, tags=["nightly", "customer:42"]),
    RunRequest({"name": "Ada"}, webhook=WebhookOfRun(url="https://example.com/runs")),
)
RunResult.examples = (
    RunResult(success=True, result=RESULT, cost=0, ms=31, execution_id=EXECUTION_ID),
)
AcceptedView.examples = (AcceptedView.for_execution(EXECUTION_ID, "https://example.com/hooks"),)
DETAILS: dict[str, Any] = {
    "inputs": {"name": "Ada"},
    "key_id": KEY_ID,
    "http_request_id": REQUEST_ID,
    "trace_id": TRACE_ID,
    "trace_url": f"https://traces.example/trace/{TRACE_ID}",
    "deliveries": [],
}
SETTLED: dict[str, Any] = {
    "attempts": 1,
    "started_at": STARTED,
    "duration_ms": 1,
    "credits_cost": 0,
    "error": None,
}
UNENDED: dict[str, Any] = {
    "status": ExecutionStatus.PROCESSING,
    "result": None,
    "duration_ms": None,
    "completed_at": None,
}
ExecutionView.examples = (
    ExecutionView(
        **ROW,
        **DETAILS,
        nodes=[
            NodeView(id=node_id, type=kind, status=NodeStatus.COMPLETED, **SETTLED)
            for node_id, kind in (
                ("in", "requestInput"),
                ("text", "textBox"),
                ("out", "responseOutput"),
            )
        ],
        waiting_for=[],
    ),
    ExecutionView(
        **ROW | UNENDED,
        **DETAILS,
        nodes=[
            NodeView(
                id="ask",
                type="approval",
                status=NodeStatus.WAITING,
                **SETTLED | {"duration_ms": None},
            )
        ],
        waiting_for=[WAITING],
    ),
)
