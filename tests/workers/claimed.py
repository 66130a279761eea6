"""An execution in a worker's hands that no store knows of."""

from engine.executions import ExecutionStatus
from engine.store.claims import Claimed, Hold

HOLD = Hold("acc", "x", "w", 3, "t")
CLAIMED = Claimed(
    hold=HOLD,
    now=0,
    slug="s",
    version=1,
    inputs={},
    status=ExecutionStatus.PROCESSING,
    statuses="pp",
    record={},
)
