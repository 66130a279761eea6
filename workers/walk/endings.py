"""How executions end that cannot be walked, or not any further."""

import logging
from typing import Any

from engine.errors import NotFound
from engine.errors.nodes import NodeFailed
from engine.executions.execution import ExecutionStatus, NodeStatus
from engine.store import Store
from engine.store.executions.claims import ClaimedExecution, parse_claims
from engine.store.executions.records import parse_jobs
from engine.store.executions.walks import Verdict, Walks
from engine.store.redis.records import unpack
from workers.nodes.executor import describe
from workers.providers.model_caller import is_owed
from workers.walk.checkpoints import MAX_CANCELLED
from workers.walk.recorder import LeaseLost, Recorder
from workers.walk.state import UNTOUCHED

WAITING = frozenset({NodeStatus.PENDING, NodeStatus.RETRYING})
"""Statuses of nodes that nobody is at."""
LAST_STEP = 10**9
"""Behind all steps that a walk with the same claim may have recorded before it broke off."""

logger = logging.getLogger(__name__)


async def end_gone(store: Store, claimed: ClaimedExecution) -> bool:
    """End what has no plan any more, in the words of the node whose model is gone.

    False: it was not for this worker to end.
    """
    workflows = store.workflows
    of_execution = (claimed.account_id, claimed.slug, claimed.version, claimed.model_ids)
    try:
        lost = dict(await workflows.lost_models(*of_execution))
        names = await workflows.node_names(*of_execution)
    except NotFound:
        lost, names = {}, ()
    found = [index for index, name in enumerate(names) if name.id in lost]
    if not found:
        message = "This version of the workflow is gone"
        return await end_failed(store.walks, claimed, message)
    index = min(found, key=lambda each: claimed.statuses[each] not in WAITING)
    failure = NodeFailed("model_gone", lost[names[index].id])
    recorder = Recorder(store.walks, claimed, number=LAST_STEP)
    if claimed.statuses[index] in WAITING:
        claim = parse_claims(claimed.record).get(index, UNTOUCHED)
        recorder.add_settled(
            index,
            NodeStatus.FAILED,
            attempts=claim.attempts,
            started_at=claimed.now,
            duration_ms=0,
            failure=failure,
            outputs=None,
        )
    return await _end_with(recorder, describe(names[index], failure))


async def end_failed(walks: Walks, claimed: ClaimedExecution, message: str) -> bool:
    """End as failed by no fault of a node. False: it was not for this worker to end."""
    error = {"code": "INTERNAL_ERROR", "message": message, "reason": message}
    return await _end_with(Recorder(walks, claimed, number=LAST_STEP), error)


def find_owed(claimed: ClaimedExecution) -> list[Any]:
    """The jobs that nodes had begun and not finished when the execution was claimed."""
    rows = parse_jobs(claimed.record).items() if "begun" in claimed.record else ()
    jobs = (
        unpack(job)
        for (index, _), job in rows
        if claimed.statuses[index] is not NodeStatus.COMPLETED
    )
    return [job for job in jobs if is_owed(job)][:MAX_CANCELLED]


async def _end_with(recorder: Recorder, error: dict[str, Any]) -> bool:
    try:
        advanced = await recorder.end(ExecutionStatus.FAILED, b"", error)
        if advanced.verdict is Verdict.CONFLICT:  # another walker was at the node
            recorder.drop(recorder.settled)
            advanced = await recorder.end(ExecutionStatus.FAILED, b"", error)
        if advanced.verdict is Verdict.CANCEL:
            advanced = await recorder.end(ExecutionStatus.CANCELLED, b"", None)
    except LeaseLost:
        logger.info("the execution had ended already")
        return False
    return advanced.verdict is Verdict.OK
