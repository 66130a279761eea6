"""Spans of an ended execution, its nodes and their attempts, made of its record.

Names and attributes are those of OpenTelemetry's conventions, and others begin with `headrace.`.
Values of inputs and outputs, and messages of errors, which may repeat them, are in none.
"""

from collections.abc import Iterator, Mapping, Sequence

from engine.executions.execution import Execution, NodeExecution
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.graph.body_paths import BODY
from engine.graph.plan import NodeName
from engine.nodes import node_type
from engine.nodes.support.base import WorkKind
from engine.store.archive.ended_executions import EndedRecord
from engine.store.executions.read.attempts import AttemptRecord, NodeAttempts, parse_all_attempts
from engine.store.executions.record_fields import HEAD_FIELDS, parse_head, parse_nodes
from engine.telemetry.traces.context import (
    TraceContext,
    attempt_span_id,
    execution_span_id,
    node_span_id,
    recorded_trace,
    wait_span_id,
)
from engine.telemetry.traces.span import NS_OF_MS, Attributes, Span, SpanKind, make_span

TRACE = "trace"
REQUEST, KEY = "request", "key"
FIELDS = (
    *(each for each in HEAD_FIELDS if each != "result"),
    *("statuses", TRACE, REQUEST, KEY, BODY, "names"),
)
"""Fields of a record that its spans are made of, besides those of nodes."""
MAX_SPANS = 1_000
"""Spans of one execution; those of failed nodes come first."""
SYSTEM = "headrace"
AGENT = "agent"
"""Node type whose nodes have the operation of agents, by the conventions of generative AI."""
FAILED = "failed"


def make_spans(ended: EndedRecord, names: Sequence[NodeName]) -> tuple[list[Span], int]:
    """Return the spans of an execution, and the number of those that are too many.

    `names` are those of its nodes, none if they are not known. An execution that belongs to no
    trace has no span.
    """
    fields = ended.fields
    parent = recorded_trace(fields.get(TRACE, b"").decode())
    if parent is None:
        return [], 0
    values = [fields.get(name) for name in HEAD_FIELDS]
    execution = parse_head(ended.account_id, ended.execution_id, values)
    own = parent.with_span(execution_span_id(execution.id))
    nodes = list(_node_spans(ended, execution, own, names))
    failed_first = sorted(nodes, key=lambda span: not span.error_type)
    kept = failed_first[:MAX_SPANS]
    left_out = len(nodes) - len(kept)
    spans = [_execution_span(execution, fields, own, parent.span_id, left_out), *kept]
    if execution.started_at is not None:
        spans.append(_wait_span(execution, own, execution.started_at))
    return spans, left_out


def _execution_span(
    execution: Execution,
    fields: Mapping[str, bytes],
    own: TraceContext,
    parent_id: str,
    left_out: int,
) -> Span:
    slug = execution.workflow_slug
    return make_span(
        *(own, parent_id, f"invoke_workflow {slug}" if slug else f"run {execution.source}"),
        began_at=execution.created_at * NS_OF_MS,
        ended_at=(execution.completed_at or execution.created_at) * NS_OF_MS,
        attributes={
            "gen_ai.operation.name": "invoke_workflow" if slug else None,
            "gen_ai.workflow.name": slug or None,
            "headrace.execution.id": execution.id,
            "headrace.execution.status": execution.status.value,
            "headrace.execution.source": execution.source,
            "headrace.account.id": execution.account_id,
            "headrace.workflow.version": execution.workflow_version or None,
            "headrace.models": ",".join(execution.model_ids) or None,
            "headrace.credits": execution.credits_cost,
            "headrace.request.id": fields.get(REQUEST, b"").decode(errors="replace") or None,
            "headrace.key.id": fields.get(KEY, b"").decode(errors="replace") or None,
            "headrace.retry_of": execution.retry_of,
            "headrace.spans.left_out": left_out or None,
            **_causes(execution),
            **_failed_node(execution),
        },
        error_type=_error_of(execution),
    )


def _causes(execution: Execution) -> Attributes:
    place = execution.child
    return {
        "headrace.batch.id": execution.batch_id,
        "headrace.batch.index": execution.batch_index,
        "headrace.trigger.id": execution.trigger_id,
        "headrace.parent.id": place.parent_id if place else None,
        "headrace.parent.node.id": place.node_id if place else None,
        "headrace.child.index": place.index if place else None,
    }


def _failed_node(execution: Execution) -> Attributes:
    error = execution.error or {}
    return {
        "headrace.error.node.id": error.get("nodeId"),
        "headrace.error.node.type": error.get("nodeType"),
        "headrace.error.node.code": error.get("nodeCode"),
    }


def _error_of(execution: Execution) -> str:
    if execution.status is not ExecutionStatus.FAILED:
        return ""
    return str((execution.error or {}).get("code") or FAILED)


def _wait_span(execution: Execution, own: TraceContext, started_at: int) -> Span:
    """Return the span in which the hint of an execution waits for a worker."""
    return make_span(
        *(own.with_span(wait_span_id(execution.id)), own.span_id, "receive hint"),
        began_at=execution.created_at * NS_OF_MS,
        ended_at=started_at * NS_OF_MS,
        kind=SpanKind.CONSUMER,
        attributes={
            "messaging.system": SYSTEM,
            "messaging.operation.name": "receive",
            "messaging.operation.type": "receive",
            "messaging.destination.name": "hints",
            "messaging.message.id": execution.id,
        },
    )


def _node_spans(
    ended: EndedRecord, execution: Execution, own: TraceContext, names: Sequence[NodeName]
) -> Iterator[Span]:
    if "statuses" not in ended.fields:
        return
    nodes = parse_nodes(ended.fields)
    attempts = parse_all_attempts(ended.fields, [node.status for node in nodes])
    for node, tried in zip(nodes, attempts, strict=True):
        if not tried.attempts or node.status is NodeStatus.SKIPPED:
            continue
        name = names[node.index] if node.index < len(names) else NodeName(id="", type="")
        until = execution.completed_at or execution.created_at
        context = own.with_span(node_span_id(execution.id, node.index))
        yield _node_span(node, name, tried, context, own.span_id, until)
        if _has_attempts(tried, name):
            for each in tried.attempts:
                span_id = attempt_span_id(execution.id, node.index, each.number)
                yield _attempt_span(each, name, own.with_span(span_id), context.span_id, until)


def _has_attempts(tried: NodeAttempts, name: NodeName) -> bool:
    """Return whether attempts have spans: calls belong to them, and nodes in place make none."""
    found = node_type(name.type)
    return len(tried.attempts) > 1 or found is None or found.kind is not WorkKind.PURE


def _node_span(
    node: NodeExecution,
    name: NodeName,
    tried: NodeAttempts,
    context: TraceContext,
    parent_id: str,
    until: int,
) -> Span:
    first, last = tried.attempts[0], tried.attempts[-1]
    ends = [node.started_at + node.duration_ms] if node.started_at and node.duration_ms else []
    ended_at = max(ends, default=until if last.ended_at is None else last.ended_at)
    return make_span(
        *(context, parent_id, f"node {name.type}" if name.type else "node"),
        began_at=(first.started_at - first.turn_ms) * NS_OF_MS,
        ended_at=ended_at * NS_OF_MS,
        attributes={
            "headrace.node.id": name.id or None,
            "headrace.node.type": name.type or None,
            "headrace.node.index": node.index,
            "headrace.node.status": node.status.value,
            "headrace.node.attempts": node.attempts,
            "headrace.credits": node.credits_cost or None,
            "gen_ai.operation.name": "invoke_agent" if name.type == AGENT else None,
        },
        error_type=_code(node.error) if node.status is NodeStatus.FAILED else "",
    )


def _attempt_span(
    attempt: AttemptRecord, name: NodeName, context: TraceContext, parent_id: str, until: int
) -> Span:
    ended_at = until if attempt.ended_at is None else attempt.ended_at
    return make_span(
        *(context, parent_id, f"attempt {attempt.number}"),
        began_at=(attempt.started_at - attempt.turn_ms) * NS_OF_MS,
        ended_at=ended_at * NS_OF_MS,
        attributes={
            "headrace.node.id": name.id or None,
            "headrace.node.type": name.type or None,
            "headrace.attempt.number": attempt.number,
            "headrace.attempt.turn_ms": attempt.turn_ms or None,
            "headrace.worker.id": attempt.worker,
        },
        error_type="" if attempt.error is None else _code(attempt.error),
    )


def _code(error: Mapping[str, object] | None) -> str:
    return str((error or {}).get("code") or FAILED)
