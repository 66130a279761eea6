from dataclasses import replace

from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus

PROCESSING = Execution(
    id="e",
    account_id="a",
    workflow_slug="echo",
    workflow_version=1,
    source="api-workflow",
    status=ExecutionStatus.PROCESSING,
    created_at=1_000,
)


def test_an_execution_lasts_from_acceptance_to_its_end() -> None:
    assert PROCESSING.duration_ms is None
    assert replace(PROCESSING, started_at=1_200, completed_at=1_500).duration_ms == 500
