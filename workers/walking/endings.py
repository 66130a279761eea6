"""How executions end that cannot be walked, or not any further."""

import logging
from typing import Any

from engine.errors import NotFound
from engine.executions import ExecutionStatus
from engine.nodes.base import NodeFailed
from engine.store import Store
from engine.store.walks import Claimed, Verdict, Walks, parse_claims
from workers.executor import describe
from workers.walking.hand import UNTOUCHED
from workers.walking.recorder import Gone, Recorder

WAITING = "pt"
"""Statuses of nodes that nobody is at."""
LAST_STEP = 10**9
"""Behind all steps that a walk with the same claim may have recorded before it broke off."""

logger = logging.getLogger(__name__)


async def end_gone(store: Store, worker_id: str, claimed: Claimed) -> None:
    """End what has no plan any more, in the words of the node whose model is gone."""
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
        await end_failed(store.walks, worker_id, claimed, message)
        return
    index = min(found, key=lambda each: claimed.statuses[each] not in WAITING)
    failure = NodeFailed("model_gone", lost[names[index].id])
    recorder = Recorder(store.walks, claimed, worker_id, number=LAST_STEP)
    if claimed.statuses[index] in WAITING:
        claim = parse_claims(claimed.record).get(index, UNTOUCHED)
        recorder.add_settled(
            index,
            "f",
            attempts=claim.attempts,
            started_at=claimed.now,
            duration_ms=0,
            failure=failure,
            outputs=None,
        )
    await _end_with(recorder, describe(names[index], failure))


async def end_failed(walks: Walks, worker_id: str, claimed: Claimed, message: str) -> None:
    """End as failed by no fault of a node."""
    error = {"code": "INTERNAL_ERROR", "message": message, "reason": message}
    await _end_with(Recorder(walks, claimed, worker_id, number=LAST_STEP), error)


async def _end_with(recorder: Recorder, error: dict[str, Any]) -> None:
    try:
        advanced = await recorder.end(ExecutionStatus.FAILED, b"", error)
        if advanced.verdict is Verdict.CONFLICT:  # another walker was at the node
            recorder.drop(recorder.settled)
            advanced = await recorder.end(ExecutionStatus.FAILED, b"", error)
        if advanced.verdict is Verdict.CANCEL:
            await recorder.end(ExecutionStatus.CANCELLED, b"", None)
    except Gone:
        logger.info("the execution had ended already")
