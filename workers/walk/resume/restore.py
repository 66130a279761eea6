"""State of a walk whose execution was walked before, read from its record."""

from engine.executions.statuses import NodeStatus
from engine.graph.plan import Plan
from engine.graph.progress import Progress
from engine.store.executions.claim import ClaimedExecution, parse_claims
from workers.walk.settlement import NodeSettlement
from workers.walk.state import WalkState
from workers.walk.step import Recorder
from workers.walk.values.outputs import OutputStore


async def restore(
    claimed: ClaimedExecution,
    plan: Plan,
    state: WalkState,
    output_store: OutputStore,
    recorder: Recorder,
    settlement: NodeSettlement,
) -> None:
    """Restore claims, outputs, retries and the result from the record."""
    state.claims = parse_claims(claimed.record)
    outputs = await output_store.read_outputs(claimed.record, range(len(claimed.statuses)))
    state.progress = Progress(plan, claimed.statuses, outputs)
    settlement.restore_result(claimed.record)
    for skipped in state.progress.take_skipped():
        recorder.add_skipped(skipped)  # the walker that settled its last source left
    running = [i for i, each in enumerate(claimed.statuses) if each is NodeStatus.RUNNING]
    state.running_elsewhere = frozenset(running)
    for index, status in enumerate(claimed.statuses):
        if status in (NodeStatus.RETRYING, NodeStatus.WAITING):
            seconds = (state.claims[index].at - claimed.now) / 1000
            wait = state.schedule_retry if status is NodeStatus.RETRYING else state.wait_parked
            wait(index, seconds)
