"""Ends of executions that cannot be walked, or no further."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors import ExecutionFailed, NotFound
from engine.errors.nodes import NO_WORKER_CAN_RUN, NodeFailed
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.graph.features import UnknownPart
from engine.graph.plan import NodeName, unpack_names
from engine.models.calls.provider_jobs import is_cancellable
from engine.store import Store
from engine.store.executions.advance import Verdict
from engine.store.executions.claim import ClaimedExecution, parse_claims
from engine.store.executions.record_fields import parse_jobs
from engine.store.executions.walks import Walks
from engine.store.redis.record_packing import unpack
from workers.nodes.executor import Executor, describe
from workers.runtime.run_counts import count_end
from workers.walk.plans import lost_in_draft
from workers.walk.resume.checkpoints import MAX_CANCELLED
from workers.walk.state import UNTOUCHED
from workers.walk.step import LeaseLost, Recorder

WAITING = frozenset({NodeStatus.PENDING, NodeStatus.RETRYING})
"""Statuses of nodes that no worker runs."""
MODEL_GONE = "model_gone"
"""Code of a node whose model is not there any more."""
LAST_STEP = 10**9
"""Above all steps that a walk with the same claim may have recorded before it broke off."""

logger = logging.getLogger(__name__)


async def end_without_plan(store: Store, executor: Executor, claimed: ClaimedExecution) -> None:
    """End an execution whose plan is gone, with the error of the node whose model is gone."""
    lost, names = await _find_lost(store, claimed)
    affected = [index for index, name in enumerate(names) if name.id in lost]
    if claimed.body and lost:
        reason = next(iter(lost.values()))
        error = {"code": ExecutionFailed.code, "message": f"A node failed: {reason}"}
        error |= {"nodeCode": MODEL_GONE, "reason": reason}
        await _end_with(Recorder(store.walks, claimed, number=LAST_STEP), executor, claimed, error)
        return
    if not affected:
        message = "This version of the workflow is gone"
        await end_failed(store.walks, executor, claimed, message)
        return
    index = min(affected, key=lambda each: claimed.statuses[each] not in WAITING)
    failure = NodeFailed(MODEL_GONE, lost[names[index].id])
    await _end_at(store, executor, claimed, names, index, failure)


async def _end_at(
    store: Store,
    executor: Executor,
    claimed: ClaimedExecution,
    names: Sequence[NodeName],
    index: int,
    failure: NodeFailed,
) -> None:
    """End an execution with the failure of a node that no walk has begun."""
    recorder = Recorder(store.walks, claimed, number=LAST_STEP, names=lambda: names)
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
    await _end_with(recorder, executor, claimed, describe(names[index], failure))


async def end_unknown(
    store: Store, executor: Executor, claimed: ClaimedExecution, part: UnknownPart, minutes: float
) -> None:
    """End an execution after it has waited this long for a worker that knows a part of it."""
    message = f"No worker here knows {part.name}; the execution has waited {minutes:g} minutes"
    names = () if part.node_id is None else await _names_of(store, claimed)
    index = next((i for i, name in enumerate(names) if name.id == part.node_id), None)
    if index is not None and index < len(claimed.statuses):
        failure = NodeFailed(NO_WORKER_CAN_RUN, message)
        await _end_at(store, executor, claimed, names, index, failure)
        return
    error = {"code": NO_WORKER_CAN_RUN, "message": message, "reason": message}
    await _end_with(Recorder(store.walks, claimed, number=LAST_STEP), executor, claimed, error)


async def end_cancelled(store: Store, executor: Executor, claimed: ClaimedExecution) -> None:
    """End an execution whose cancellation was requested."""
    # The store refuses any end but that of the cancel, which follows.
    await _end_with(Recorder(store.walks, claimed, number=LAST_STEP), executor, claimed, {})


async def _names_of(store: Store, claimed: ClaimedExecution) -> Sequence[NodeName]:
    """Return the names of an execution's nodes; empty when they are not on record."""
    if claimed.body:
        return ()  # those of the workflow are not those of its body
    if claimed.is_draft:
        return unpack_names(claimed.record["names"])
    try:
        return await store.workflows.node_names(
            claimed.owner_id, claimed.slug, claimed.version, claimed.model_ids
        )
    except NotFound:
        return ()


async def _find_lost(
    store: Store, claimed: ClaimedExecution
) -> tuple[Mapping[str, str], Sequence[NodeName]]:
    """Return the reasons by the ids of nodes whose models are gone, and the names of all nodes."""
    if claimed.is_draft:
        return await lost_in_draft(store.offloaded, claimed)
    workflows = store.workflows
    plan_key = (claimed.owner_id, claimed.slug, claimed.version, claimed.model_ids)
    try:
        lost = dict(await workflows.lost_models(*plan_key))
        return lost, () if claimed.body else await workflows.node_names(*plan_key)
    except NotFound:
        return {}, ()


async def end_failed(
    walks: Walks, executor: Executor, claimed: ClaimedExecution, message: str
) -> None:
    """End an execution as failed by an internal error."""
    error = {"code": "INTERNAL_ERROR", "message": message, "reason": message}
    await _end_with(Recorder(walks, claimed, number=LAST_STEP), executor, claimed, error)


def find_cancellable_jobs(claimed: ClaimedExecution) -> list[Any]:
    """Return jobs that nodes had begun and not finished at the claim, of a known record."""
    is_to_do = "must_cancel" in claimed.record and claimed.statuses
    rows = parse_jobs(claimed.record).items() if is_to_do else ()
    jobs = (
        unpack(job)
        for (index, _), job in rows
        if claimed.statuses[index] is not NodeStatus.COMPLETED
    )
    return [job for job in jobs if is_cancellable(job)][:MAX_CANCELLED]


async def _end_with(
    recorder: Recorder, executor: Executor, claimed: ClaimedExecution, error: dict[str, Any]
) -> None:
    """End an execution with an error, and cancel its jobs; one that others have ended is left."""
    status = ExecutionStatus.FAILED
    try:
        advanced = await recorder.end(status, b"", error)
        if advanced.verdict is Verdict.CONFLICT:  # another walker was at the node
            recorder.drop(recorder.settled)
            advanced = await recorder.end(status, b"", error)
        if advanced.verdict is Verdict.CANCEL:
            status = ExecutionStatus.CANCELLED
            advanced = await recorder.end(status, b"", None)
    except LeaseLost:
        logger.info("the execution had ended already")
        return
    if advanced.verdict is Verdict.OK:
        count_end(claimed, status, advanced.now, error)
        await executor.cancel_jobs(find_cancellable_jobs(claimed))
