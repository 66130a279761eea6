"""Payloads of webhooks."""

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.executions.execution import Execution
from engine.executions.rows import NodeRow
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.graph.plan import NodeName
from engine.values.plain import moment
from engine.webhooks.events import CANARY_ROLLED_BACK, NODE_FINISHED, STARTED, WAITING

TEST_EVENT = "webhook.test"

_encode = msgspec.json.Encoder().encode


def execution_body(execution: Execution, event: str, sequence: int | None = None) -> bytes:
    """Return the payload about an ended execution. Equal executions give equal bytes.

    `sequence` is the number of the delivery; None: it has none, being the only one.
    """
    payload = _head(execution, event, execution.status)
    if execution.error is not None:
        payload["error"] = _error(execution.error)
    elif event == "execution.completed" or execution.result is not None:
        payload["result"] = execution.result
    return _encode(
        {
            **payload,
            "creditsCost": execution.credits_cost,
            "durationMs": execution.duration_ms,
            "createdAt": moment(execution.created_at),
            "completedAt": moment(execution.completed_at),
            "tags": execution.tags,
            **({} if sequence is None else {"sequence": sequence}),
        }
    )


def started_body(execution: Execution, sequence: int) -> bytes:
    """Return the payload about the beginning of an execution, whatever has become of it since."""
    return _encode(
        {
            **_head(execution, STARTED, ExecutionStatus.PROCESSING),
            **_running(execution, 0, sequence),
        }
    )


def node_body(execution: Execution, node: bytes, spent: int, sequence: int) -> bytes:
    """Return the payload about the end of a node, by its `node_facts`.

    `spent` are the credits that the execution had cost by then.
    """
    return _encode(
        {
            **_head(execution, NODE_FINISHED, ExecutionStatus.PROCESSING),
            "node": msgspec.Raw(node),
            **_running(execution, spent, sequence),
        }
    )


def waiting_body(
    execution: Execution, waiting: Mapping[str, Any], spent: int, sequence: int
) -> bytes:
    """Return the payload about a wait of a node, by its entry.

    `spent` are the credits that the execution had cost by then.
    """
    return _encode(
        {
            **_head(execution, WAITING, ExecutionStatus.PROCESSING),
            "waiting": waiting,
            **_running(execution, spent, sequence),
        }
    )


def node_facts(name: NodeName, status: NodeStatus, row: NodeRow | None) -> bytes:
    """Return what a webhook is told of a node that has ended, as JSON; skipped ones have no row."""
    return _encode(
        {
            "id": name.id,
            "type": name.type,
            "status": status.value,
            "creditsCost": 0 if row is None else row.credits,
            "durationMs": None if row is None else row.duration_ms,
            "error": None if row is None else row.error,
        }
    )


def _head(execution: Execution, event: str, status: ExecutionStatus) -> dict[str, Any]:
    return {
        "event": event,
        "executionId": execution.id,
        "requestId": execution.id,
        "userId": execution.account_id,
        "workflowSlug": execution.workflow_slug or None,
        "modelIds": execution.model_ids,
        "status": status.value,
    }


def _running(execution: Execution, spent: int, sequence: int) -> dict[str, Any]:
    """Return the last members of the payload about an execution that had not ended."""
    return {
        "creditsCost": spent,
        "durationMs": None,
        "createdAt": moment(execution.created_at),
        "completedAt": None,
        "tags": execution.tags,
        "sequence": sequence,
    }


def batch_body(batch: Mapping[str, Any], event: str) -> bytes:
    """Return the payload about a batch that is over, of the members that callers see."""
    return _encode({"event": event, **batch})


def canary_body(facts: Mapping[str, Any]) -> bytes:
    """Return the payload about a canary that was taken back, of its facts."""
    return _encode({"event": CANARY_ROLLED_BACK, **facts})


def example_body(delivery_id: str, account_id: str, now: int) -> bytes:
    """Return the payload of a test event, which names no real execution."""
    return _encode(
        {
            "event": TEST_EVENT,
            "executionId": delivery_id,
            "requestId": delivery_id,
            "userId": account_id,
            "workflowSlug": None,
            "modelIds": [],
            "status": "completed",
            "result": {"text": "This is a test of your webhook."},
            "creditsCost": 0,
            "durationMs": 0,
            "createdAt": moment(now),
            "completedAt": moment(now),
            "tags": [],
        }
    )


def _error(error: Mapping[str, Any]) -> dict[str, Any]:
    return {name: error[name] for name in ("code", "message") if name in error}
