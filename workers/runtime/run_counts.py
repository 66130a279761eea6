"""Count of ended executions in metrics: their statuses, times and causes of failures."""

from collections.abc import Mapping
from typing import Any

from engine.executions.failure_causes import cause_of
from engine.executions.statuses import ExecutionStatus
from engine.store.executions.claim import ClaimedExecution
from engine.telemetry import metrics


def count_end(
    claimed: ClaimedExecution,
    status: ExecutionStatus,
    ended_at: int,
    error: Mapping[str, Any] | None,
) -> None:
    """Count an execution that has ended here, at a time in milliseconds of Redis's clock."""
    metrics.EXECUTIONS_ENDED.labels(status.value).inc()
    if status is ExecutionStatus.FAILED:
        metrics.EXECUTIONS_FAILED.labels(cause_of(error).value).inc()
    seconds = max(0, ended_at - claimed.created_at) / 1_000
    metrics.EXECUTION_SECONDS.labels(status.value).observe(seconds)


def count_begin(claimed: ClaimedExecution, queue: str) -> None:
    """Count the time that an execution has waited, at its first claim; `queue` had its hint."""
    if claimed.fence == 1:
        seconds = max(0, claimed.now - claimed.created_at) / 1_000
        metrics.HINT_WAIT.labels(queue).observe(seconds)
