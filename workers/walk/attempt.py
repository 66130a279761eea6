"""Attempts at the nodes of one execution: their inputs, checkpoints, memory and publisher."""

from collections.abc import Collection, Sequence
from typing import Any

from engine.graph.plan import Plan
from engine.store.executions.claims import ClaimedExecution
from engine.store.executions.walks import Advanced
from workers.nodes.executor import NO_CHECKPOINTS, AttemptOutcome, NodeAttempt
from workers.walk.dependencies import WalkDependencies
from workers.walk.progress import ProgressPublisher
from workers.walk.recovery.checkpoints import ExecutionCheckpoints
from workers.walk.state import WalkState
from workers.walk.values.memory import NodeMemory, RunMemory
from workers.walk.values.outputs import OutputStore


class Attempts:
    """Passes the nodes of one execution to the executor."""

    __slots__ = (
        *("_claimed", "_depth", "_execution_checkpoints", "_executor", "_memory"),
        *("_output_store", "_owner_id", "_plan", "_publisher", "_state"),
    )

    def __init__(
        self,
        claimed: ClaimedExecution,
        plan: Plan,
        dependencies: WalkDependencies,
        state: WalkState,
        output_store: OutputStore,
        memory: RunMemory,
    ) -> None:
        self._claimed = claimed
        self._owner_id, self._depth = claimed.owner_id, claimed.depth
        self._memory = memory
        self._plan = plan
        self._executor = dependencies.executor
        self._state = state
        self._output_store = output_store
        calls_models = bool(plan.models)
        self._execution_checkpoints = (
            ExecutionCheckpoints(dependencies.walks, dependencies.offloaded, claimed, plan)
            if calls_models
            else None
        )
        self._publisher = ProgressPublisher(dependencies.events, claimed) if calls_models else None

    async def run(self, index: int) -> AttemptOutcome:
        """Run one attempt at a ready node."""
        delivered = self._state.progress.delivered(index)
        refusal = self._output_store.check_inputs([in_edge.source for in_edge, _ in delivered])
        if refusal is not None:
            return AttemptOutcome(failure=refusal)
        claimed, claim = self._claimed, self._state.claims.get(index)
        node_memory = NodeMemory(self._memory)
        work = NodeAttempt(
            node=self._plan.nodes[index],
            execution_inputs=claimed.inputs,
            inputs=self._state.progress.inputs(index, delivered),
            delivered=delivered,
            account_id=claimed.account_id,
            owner_id=self._owner_id,
            execution_id=claimed.execution_id,
            depth=self._depth,
            checkpoints=NO_CHECKPOINTS
            if self._execution_checkpoints is None
            else self._execution_checkpoints.of(index, claim),
            publisher=None if self._publisher is None else self._publisher.of(index),
            memory=node_memory,
        )
        try:
            outcome = await self._executor.run(work)
        finally:
            node_memory.release()
        return self._output_store.count(index, outcome)

    def note_step(self, advanced: Advanced) -> None:
        """Note from the reply to a recorded step whether the execution is watched."""
        if self._publisher is not None:
            self._publisher.note_step(advanced)

    async def flush(self) -> None:
        """Record the answers of running nodes, with which a retry of the execution goes on."""
        if self._execution_checkpoints is not None:
            await self._execution_checkpoints.flush()

    def abandon(self) -> None:
        """Note that the execution ends, so that jobs of its nodes are not resumed."""
        if self._execution_checkpoints is not None:
            self._execution_checkpoints.is_given_up = True

    async def find_unfinished_jobs(self, indexes: Collection[int]) -> list[Any]:
        """Return recorded jobs of these nodes that no attempt will resume."""
        if self._execution_checkpoints is None:
            return []
        return await self._execution_checkpoints.find_unfinished_jobs(
            indexes, must_read=self._state.is_shared
        )

    async def cancel(self, jobs: Sequence[Any]) -> None:
        """Ask providers once, within a short time, to cancel these jobs."""
        await self._executor.cancel_jobs(jobs)

    async def stop(self) -> None:
        """Stop publishing; all attempts have ended."""
        if self._publisher is not None:
            await self._publisher.stop()
