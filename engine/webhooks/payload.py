"""Payloads of webhooks."""

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.executions.execution import Execution
from engine.values.plain import moment

TEST_EVENT = "webhook.test"

_encode = msgspec.json.Encoder().encode


def execution_body(execution: Execution, event: str) -> bytes:
    """Return the payload about an ended execution. Equal executions give equal bytes."""
    payload: dict[str, Any] = {
        "event": event,
        "executionId": execution.id,
        "requestId": execution.id,
        "userId": execution.account_id,
        "workflowSlug": execution.workflow_slug or None,
        "modelIds": execution.model_ids,
        "status": execution.status.value,
    }
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
        }
    )


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
        }
    )


def _error(error: Mapping[str, Any]) -> dict[str, Any]:
    return {name: error[name] for name in ("code", "message") if name in error}
