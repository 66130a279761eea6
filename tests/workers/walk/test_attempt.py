"""Attempts at nodes: memory of an attempt is released when it ends, however it ends."""

import asyncio
from typing import Any, cast

import pytest

from engine.errors.nodes import NodeFailed
from engine.graph.progress import Progress
from engine.store.redis import keyspace
from tests.support.factories import Runner, http_fan
from workers.nodes.context import NodeAttempt
from workers.nodes.executor import AttemptOutcome
from workers.nodes.memory import MemoryBudget, RunMemory
from workers.walk.attempt import Attempts
from workers.walk.dependencies import WalkDependencies
from workers.walk.state import WalkState
from workers.walk.values.outputs import OutputStore

SIZE = 1_000
FAILED = AttemptOutcome(failure=NodeFailed("timeout", "Too slow", retryable=True))


class ReservingExecutor:
    """Reserves memory for an attempt, as an HTTP node does, and ends with a given outcome."""

    def __init__(self, outcome: AttemptOutcome | BaseException) -> None:
        self.outcome = outcome

    async def run(self, work: NodeAttempt) -> AttemptOutcome:
        assert work.memory is not None
        await work.memory.reserve(SIZE)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


async def attempts_of(runner: Runner, executor: Any, memory: RunMemory) -> Attempts:
    slug = await runner.save(http_fan("https://example.com", 1))
    _, plan = await runner.store.workflows.plan(slug)
    reference = keyspace.reference(runner.account.id, await runner.begin(slug))
    claimed = await runner.store.walks.claim(reference, "worker-1")
    assert plan is not None
    assert claimed is not None
    store = runner.store
    dependencies = WalkDependencies(
        walks=store.walks,
        node_waits=store.node_waits,
        checkpoints=store.checkpoints,
        offloaded=store.offloaded,
        events=store.events,
        executor=executor,
        worker_id="worker-1",
        cpu_slots=1,
        max_bytes=1_000_000,
        is_draining=lambda: False,
        request_help=cast(Any, None),
        mark_idle=cast(Any, None),
        children=store.children,
        child_targets=cast(Any, None),
        feed_children=cast(Any, None),
    )
    state = WalkState(progress=Progress(plan, claimed.statuses), is_shared=False)
    output_store = OutputStore(store.offloaded, claimed, plan, 1_000_000, memory)
    return Attempts(claimed, plan, dependencies, state, output_store, memory)


@pytest.mark.parametrize("outcome", [FAILED, asyncio.CancelledError(), RuntimeError("A fault")])
async def test_an_attempt_without_an_output_leaves_no_memory_in_use(
    runner: Runner, outcome: AttemptOutcome | BaseException
) -> None:
    """Otherwise an execution whose node is tried again uses more with each attempt."""
    budget = MemoryBudget(100 * SIZE)
    with budget.open(10) as memory:
        attempts = await attempts_of(runner, ReservingExecutor(outcome), memory)
        for _ in range(2):
            if isinstance(outcome, AttemptOutcome):
                assert await attempts.run(0) == outcome
            else:
                with pytest.raises(type(outcome)):
                    await attempts.run(0)

            assert budget.used == 10


async def test_of_an_attempt_with_an_output_the_output_alone_stays_in_memory(
    runner: Runner,
) -> None:
    done = AttemptOutcome(outputs={"result": 1}, packed=b"12345")
    budget = MemoryBudget(100 * SIZE)
    with budget.open(10) as memory:
        attempts = await attempts_of(runner, ReservingExecutor(done), memory)

        await attempts.run(0)

        assert budget.used == 15
