"""Attempts at the nodes of one execution: inputs, run, and outputs counted or offloaded."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from msgspec import structs

from engine.graph.plan import Plan
from engine.nodes.agents.agent_turn import AgentTurn
from engine.nodes.response_output import plain_result
from engine.nodes.support.base import InEdge, WorkKind
from engine.store.executions.advance import Advanced
from engine.store.executions.claim import ClaimedExecution
from engine.store.executions.events import ExecutionEvents
from engine.store.redis.record_packing import pack
from engine.telemetry import metrics
from engine.telemetry.traces.context import CURRENT, attempt_span_id
from workers.nodes.context import NO_CHECKPOINTS, NodeAttempt
from workers.nodes.executor import AttemptOutcome
from workers.nodes.memory import NodeMemory, RunMemory
from workers.nodes.progress import ProgressPublisher, RelayedProgress
from workers.walk.children import ChildrenAttempts
from workers.walk.dependencies import WalkDependencies
from workers.walk.replays.recorded_nodes import RecordedNodes
from workers.walk.resume.checkpoints import ExecutionCheckpoints
from workers.walk.state import WalkState
from workers.walk.values.outputs import OutputStore
from workers.walk.waits import WaitAttempts


class EndedAttempt(NamedTuple):
    """Attempt at a node that has an outcome; `started` is a time of the event loop's clock."""

    node_index: int
    started: float
    outcome: AttemptOutcome


def _with_plain_result(attempt: NodeAttempt, outcome: AttemptOutcome) -> AttemptOutcome:
    """Return the outcome of a Response Output with the result as a parent gets it."""
    if outcome.failure is not None:
        return outcome
    plain = plain_result(attempt.node.settings, attempt.inputs, attempt.delivered)
    return structs.replace(outcome, plain=pack(plain))


def _open_publisher(
    claimed: ClaimedExecution, plan: Plan, events: ExecutionEvents
) -> ProgressPublisher | None:
    """Return the publisher of texts and progress; None: no node calls a model."""
    if not plan.models:
        return None
    if claimed.group is not None and any(isinstance(each.type, AgentTurn) for each in plan.nodes):
        return RelayedProgress(events, claimed, claimed.group)
    return ProgressPublisher(events, claimed)


class Attempts:
    """Runs the nodes of one execution, in place or each in a task of its own."""

    __slots__ = (
        *("_children", "_claimed", "_clock", "_depth", "_ended", "_execution_checkpoints"),
        *(
            "_dependencies",
            "_executor",
            "_memory",
            "_opened_at",
            "_output_store",
            "_owner_id",
            "_plan",
            "_publisher",
            "_recorded",
            "is_replay",
            "_state",
            "_waits",
        ),
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
        self._clock = asyncio.get_running_loop().time
        self._opened_at = self._clock()
        self._dependencies = dependencies
        self._children: ChildrenAttempts | None = None
        self._waits: WaitAttempts | None = None
        self.is_replay = is_replay = claimed.calls is not None
        """Whether nodes take outcomes of an earlier execution."""
        self._recorded = RecordedNodes(claimed, dependencies, memory) if is_replay else None
        self._ended: list[EndedAttempt] = []
        calls_models = bool(plan.models)
        self._execution_checkpoints = (
            ExecutionCheckpoints(dependencies.checkpoints, dependencies.offloaded, claimed, plan)
            if calls_models
            else None
        )
        self._publisher = _open_publisher(claimed, plan, dependencies.events)

    async def find_recorded(self, index: int, ready: Sequence[int]) -> WorkKind | None:
        """Return the kind of work of a ready node: pure, if `run` has a recorded outcome for it.

        None: the other ready nodes come first. Raises Unavailable.
        """
        node, recorded = self._plan.nodes[index], self._recorded
        kind = node.type.kind
        if recorded is None or kind is WorkKind.PURE:
            return kind
        delivered = self._state.progress.delivered(index)
        inputs = self._state.progress.inputs(index, delivered)
        if not await recorded.find(node, inputs, delivered):
            return kind
        return None if recorded.must_postpone(index, ready) else WorkKind.PURE

    async def run_in_place(self, index: int) -> EndedAttempt | None:
        """Run a pure node, or take a recorded outcome.

        None: a large output is being stored, in a task.
        """
        started = self._clock()
        outcome = await self.run(index)
        if self._output_store.fits_record(index, outcome):
            return EndedAttempt(index, started, outcome)
        # Storing large outputs may be slow; other nodes do not wait for it.
        self._state.start(index, self._store(index, started, outcome))
        return None

    def start(self, index: int) -> None:
        """Run a node in a task."""
        self._state.start(index, self._run_in_task(index))

    def take_ended(self) -> list[EndedAttempt]:
        """Return the attempts that have ended in tasks, but for those that were stopped."""
        ended, self._ended = self._ended, []
        running = self._state.running
        return [each for each in ended if running.pop(each.node_index, None) is not None]

    async def _run_in_task(self, index: int) -> None:
        started = self._clock()
        self._enter_span(index)
        outcome = await self.run(index)
        if outcome.parked_until is None:
            seconds = metrics.node_seconds(self._plan.nodes[index].type.type)
            seconds.observe(self._clock() - started)
        if self._output_store.fits_record(index, outcome):
            self._end(index, started, outcome)
        else:
            await self._store(index, started, outcome)

    def _enter_span(self, index: int) -> None:
        """Run the present task, which is that of one attempt, in the span of the attempt."""
        trace = CURRENT.get()
        if trace is not None:
            claim = self._state.claims.get(index)
            number = 1 if claim is None else claim.attempts
            span_id = attempt_span_id(self._claimed.execution_id, index, number)
            CURRENT.set(trace.with_span(span_id))

    async def _store(self, index: int, started: float, outcome: AttemptOutcome) -> None:
        seconds = self._plan.nodes[index].policy.timeout_seconds
        time_left = None if seconds is None else started + seconds - self._clock()
        stored = await self._output_store.offload(index, outcome, time_left)
        self._end(index, started, stored)

    def _end(self, index: int, started: float, outcome: AttemptOutcome) -> None:
        self._ended.append(EndedAttempt(index, started, outcome))
        self._state.wake.set()

    async def run(self, index: int) -> AttemptOutcome:
        """Run one attempt at a ready node, and count its output."""
        delivered = self._state.progress.delivered(index)
        refusal = self._output_store.check_inputs([in_edge.source for in_edge, _ in delivered])
        if refusal is not None:
            return AttemptOutcome(failure=refusal)
        kind, recorded = self._plan.nodes[index].type.kind, self._recorded
        if recorded is not None and (found := recorded.take(index)) is not None:
            return self._output_store.count_output(index, found)
        if kind is WorkKind.CHILDREN:
            return await self._run_children(index, delivered)
        if kind is WorkKind.WAIT:
            return await self._run_wait(index, delivered)
        if isinstance(self._publisher, RelayedProgress):
            await self._publisher.look()
        claimed, claim = self._claimed, self._state.claims.get(index)
        checkpoints, publisher = self._execution_checkpoints, self._publisher
        node_memory = NodeMemory(self._memory)
        attempt = NodeAttempt(
            node=self._plan.nodes[index],
            execution_inputs=claimed.inputs,
            inputs=self._state.progress.inputs(index, delivered),
            delivered=delivered,
            account_id=claimed.account_id,
            owner_id=self._owner_id,
            execution_id=claimed.execution_id,
            depth=self._depth,
            checkpoints=checkpoints.for_attempt(index, claim) if checkpoints else NO_CHECKPOINTS,
            publisher=publisher.for_node(index) if publisher else None,
            memory=node_memory,
            calls_nobody=recorded is not None and recorded.calls_nobody,
        )
        try:
            outcome = await self._executor.run(attempt)
        finally:
            node_memory.release()
        if index == self._plan.response_output and claimed.group is not None:
            outcome = _with_plain_result(attempt, outcome)
        return self._output_store.count_output(index, outcome)

    async def _run_children(
        self, index: int, delivered: list[tuple[InEdge, Any]]
    ) -> AttemptOutcome:
        node_memory = NodeMemory(self._memory)
        inputs = self._state.progress.inputs(index, delivered)
        try:
            node = self._plan.nodes[index]
            outcome = await self._open_children().run(node, inputs, node_memory, self._now())
        finally:
            node_memory.release()
        return self._output_store.count_output(index, outcome)

    async def _run_wait(self, index: int, delivered: list[tuple[InEdge, Any]]) -> AttemptOutcome:
        if self._waits is None:
            self._waits = WaitAttempts(self._claimed, self._dependencies)
        inputs = self._state.progress.inputs(index, delivered)
        outcome = await self._waits.run(self._plan.nodes[index], inputs, self._now())
        return self._output_store.count_output(index, outcome)

    def _now(self) -> int:
        """Return the time of the store in milliseconds, as far as this walk knows it."""
        return self._claimed.now + int((self._clock() - self._opened_at) * 1000)

    @property
    def has_children(self) -> bool:
        """Whether a node with children has run in this walk."""
        return self._children is not None

    def note_parked(self, index: int) -> None:
        """Note that a node is on record as parked: its children, if it has some, may begin."""
        if index in self._plan.children:
            self._open_children().feed(index)

    def note_end(self) -> None:
        """Note that the execution has ended: children of nodes that waited are cancelled."""
        for index in self._state.parked.intersection(self._plan.children):
            self._open_children().feed(index)

    def _open_children(self) -> ChildrenAttempts:
        if self._children is None:
            self._children = ChildrenAttempts(self._claimed, self._dependencies)
        return self._children

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

    async def cancel_jobs(self, jobs: Sequence[Any]) -> None:
        """Ask providers once, within a short time, to cancel these jobs."""
        await self._executor.cancel_jobs(jobs)

    async def stop(self) -> None:
        """Stop publishing; all attempts have ended."""
        if self._publisher is not None:
            await self._publisher.stop()
