"""Checkpoints of an attempt: its number, which failures are final, and a lost claim."""

from typing import cast

import pytest

from engine.errors.nodes import NodeFailed
from engine.graph.plan import Plan
from engine.store import Store
from engine.store.executions.advance import Step
from engine.store.executions.claim import ClaimedExecution
from engine.store.executions.record_fields import NodeClaim
from engine.store.redis import keyspace
from tests.support.factories import Runner, http_fan
from workers.walk.resume.checkpoints import ExecutionCheckpoints, NodeCheckpoints

RETRYABLE = NodeFailed("provider_unavailable", "Overloaded", retryable=True)
FINAL = NodeFailed("provider_refused", "Refused", retryable=False)
JOB = {"model": "own", "id": "j-1"}


async def claim_of(runner: Runner, attempts: int) -> tuple[ClaimedExecution, Plan]:
    """Claim a run of one node that may have this many attempts."""
    graph = http_fan("https://example.com", 1, retry={"attempts": attempts})
    slug = await runner.save(graph)
    _, plan = await runner.store.workflows.plan(slug)
    reference = keyspace.reference(runner.account.id, await runner.begin(slug))
    claimed = await runner.store.walks.claim(reference, "worker-1")
    assert claimed is not None
    return claimed, cast(Plan, plan)


def checkpoints_of(
    store: Store, claimed: ClaimedExecution, plan: Plan, claim: NodeClaim
) -> NodeCheckpoints:
    checkpoints = ExecutionCheckpoints(store.checkpoints, store.offloaded, claimed, plan)
    return checkpoints.for_attempt(node_of(plan), claim)


def node_of(plan: Plan) -> int:
    return next(index for index, node in enumerate(plan.nodes) if node.id == "h0")


@pytest.mark.parametrize(
    ("attempts", "lost", "is_last"),
    [(1, 0, False), (2, 0, False), (3, 0, True), (4, 0, True), (3, 1, False), (5, 2, True)],
)
async def test_the_last_attempt_is_final_and_lost_ones_do_not_count(
    runner: Runner, attempts: int, lost: int, is_last: bool
) -> None:
    claimed, plan = await claim_of(runner, attempts=3)

    checkpoints = checkpoints_of(runner.store, claimed, plan, NodeClaim(1, attempts, 0, lost))

    assert checkpoints.is_final(RETRYABLE) is is_last
    assert checkpoints.is_final(FINAL)


@pytest.mark.parametrize(("attempts", "gives_up"), [(1, False), (2, True)])
async def test_only_a_final_failure_gives_up_the_other_calls_of_the_node(
    runner: Runner, attempts: int, gives_up: bool
) -> None:
    claimed, plan = await claim_of(runner, attempts=2)
    checkpoints = checkpoints_of(runner.store, claimed, plan, NodeClaim(1, attempts, 0, 0))

    checkpoints.note_failure(RETRYABLE)

    assert checkpoints.is_given_up is gives_up


async def test_a_job_that_cannot_be_recorded_ends_the_attempt_of_a_worker_that_lost_the_node(
    runner: Runner,
) -> None:
    """The worker that has the node now does not know the job, so this one must not go on."""
    claimed, plan = await claim_of(runner, attempts=1)
    walks, index = runner.store.walks, node_of(plan)
    await walks.advance(claimed.lease, 1, Step(claimed=[index]))
    checkpoints = checkpoints_of(runner.store, claimed, plan, NodeClaim(1, 1, 0, 0))

    await checkpoints.save_job(0, JOB)
    await walks.give_back(claimed.reference, "worker-1", is_lost=True)

    with pytest.raises(NodeFailed) as refused:
        await checkpoints.save_job(0, JOB | {"id": "j-2"})
    assert (refused.value.code, refused.value.retryable) == ("worker_lost", True)
    taken_over = await walks.claim(claimed.reference, "worker-2")
    assert taken_over is not None
    successor = checkpoints_of(runner.store, taken_over, plan, NodeClaim(2, 2, 0, 1))
    assert await successor.find_job(0) == JOB
