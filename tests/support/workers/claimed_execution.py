"""A claimed execution that no store has."""

from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.store.executions.claim import ClaimedExecution, Lease

HOLD = Lease("acc", "x", "w", 3, "t")
CLAIMED = ClaimedExecution(
    lease=HOLD,
    now=0,
    slug="s",
    version=1,
    inputs={},
    status=ExecutionStatus.PROCESSING,
    statuses=(NodeStatus.PENDING,) * 2,
    record={},
)
