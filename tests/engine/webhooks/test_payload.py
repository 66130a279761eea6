import json
from dataclasses import replace
from datetime import UTC, datetime

from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.webhooks.payload import execution_body

NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)
ENDED = Execution(
    id="e1",
    account_id="acc_1",
    workflow_slug="echo",
    workflow_version=1,
    source="api-workflow",
    status=ExecutionStatus.COMPLETED,
    created_at=1_000,
    started_at=1_001,
    completed_at=1_250,
    result={"text": "hi"},
)


def test_a_completed_execution_is_told_with_its_result() -> None:
    body = execution_body(ENDED, "execution.completed")

    assert json.loads(body) == {
        "event": "execution.completed",
        "executionId": "e1",
        "requestId": "e1",
        "userId": "acc_1",
        "workflowSlug": "echo",
        "modelIds": [],
        "status": "completed",
        "result": {"text": "hi"},
        "creditsCost": 0,
        "durationMs": 250,
        "createdAt": "1970-01-01T00:00:01.000Z",
        "completedAt": "1970-01-01T00:00:01.250Z",
        "tags": [],
    }
    assert execution_body(ENDED, "execution.completed") == body


def test_a_run_of_a_model_is_told_with_its_model_and_its_credits() -> None:
    charged = replace(ENDED, workflow_slug="", model_ids=("echo",), credits_cost=13)

    payload = json.loads(execution_body(charged, "execution.completed"))

    assert payload["workflowSlug"] is None
    assert (payload["modelIds"], payload["creditsCost"]) == (["echo"], 13)


def test_a_failed_execution_is_told_with_code_and_message_alone() -> None:
    expected = {"code": "EXECUTION_FAILED", "message": "no"}
    why = {"nodeId": "n", "nodeCode": "timeout", "retryable": True, "reason": "no"}
    error = {**expected, **why}
    failed = Execution(
        **{name: getattr(ENDED, name) for name in Execution.__slots__}
        | {"status": ExecutionStatus.FAILED, "error": error, "result": None}
    )

    payload = json.loads(execution_body(failed, "execution.failed"))

    assert payload["error"] == expected
    assert "result" not in payload
