"""Attempts at agents: each replays the loop over the children on record, and adds the next round.

An attempt ends at once: the node is parked until the round has ended. A worker that dies leaves a
record from which the next attempt comes to the same round, which is added once.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

import msgspec
from msgspec import structs

from engine.errors.nodes import STORAGE, NodeFailed
from engine.executions.batches import ItemStatus
from engine.executions.children import MAX_CHILDREN, GroupStatus
from engine.executions.run_depth import MAX_DEPTH
from engine.graph.plan import Node
from engine.ids.executions import child_execution_id
from engine.nodes.agents.agent import STEPS_OUT, Agent, AgentSettings
from engine.nodes.agents.loop import replay
from engine.nodes.agents.rounds import (
    AgentEnd,
    AgentTask,
    NextRound,
    Replay,
)
from engine.nodes.assistant import JSON_OUT, TEXT_OUT
from engine.nodes.support.children import ChildResult
from engine.process.pool import timed_out
from engine.services.runs.agents.steps import ended_child
from engine.services.runs.agents.targets import TASK, target_of, target_of_tool
from engine.services.runs.child_plans import WORKFLOW_NOT_FOUND, body_target
from engine.store.children.keys import GroupRef
from engine.store.children.records import (
    CalleeGone,
    ChildOutcome,
    Group,
    GroupOpened,
    ParentEnded,
    TooManyChildren,
)
from engine.store.children.rounds import GroupOpening, NewRound, RoundItem
from engine.store.executions.claim import ClaimedExecution
from engine.store.redis.record_packing import pack
from workers.nodes.executor import AttemptOutcome
from workers.nodes.memory import NodeMemory
from workers.walk.dependencies import WalkDependencies

NEVER = 2**53
"""Time in milliseconds after all others: the node is due when it is woken."""
UNREADABLE = "The prompt of the agent cannot be read from where it is kept"

ReadResults = Callable[[Sequence[ChildOutcome], NodeMemory], Awaitable[Sequence[ChildResult]]]
"""Reads the values of children that have ended."""


class AgentAttempts:
    """Runs attempts at the agents of one execution."""

    __slots__ = ("_children", "_claimed", "_feed", "_read_results", "_targets")

    def __init__(
        self,
        claimed: ClaimedExecution,
        dependencies: WalkDependencies,
        read_results: ReadResults,
        feed: Callable[[int], None],
    ) -> None:
        """`feed` has children of a node begun or cancelled soon."""
        self._claimed = claimed
        self._children = dependencies.children
        self._targets = dependencies.child_targets
        self._read_results = read_results
        self._feed = feed

    async def run(
        self,
        node: Node,
        inputs: Mapping[str, Any],
        group: Group | None,
        memory: NodeMemory,
        now: int,
    ) -> AttemptOutcome:
        """Add the next round and park the node, or return its outputs; `now` is in milliseconds.

        Raises NodeFailed, StorageFailed or Unavailable.
        """
        if group is None:
            return await self._begin(node, inputs)
        deadline = deadline_of(node, group.created_at)
        if group.failed is not None:
            raise await self._failure_of(group, group.failed, memory)
        is_late = deadline <= now
        if group.status is GroupStatus.CANCELLING or (is_late and not group.is_decided):
            await self._children.cancel(group.ref)
            self._feed(node.index)
            raise timed_out(node.policy.timeout_seconds or 0)
        if not group.is_decided:
            return AttemptOutcome(parked_until=deadline)
        task = await self._read_task(group.ref)
        state = await self._replay(node, group, task, memory)
        match state.next:
            case NodeFailed() as failure:
                raise timed_out(node.policy.timeout_seconds or 0) if is_late else failure
            case AgentEnd() as end:
                outputs = outputs_of(node.settings, end, state)
                return AttemptOutcome(outputs, pack(outputs), began_at=group.created_at)
            case NextRound() if is_late:
                raise timed_out(node.policy.timeout_seconds or 0)
            case NextRound() as following:
                new = NewRound(
                    ref=group.ref,
                    expected=group.size,
                    items=self._items(node, following),
                    object_prefix=self._claimed.lease.object_prefix,
                )
                return await self._append(node, new)
        return AttemptOutcome(parked_until=deadline)

    async def _begin(self, node: Node, inputs: Mapping[str, Any]) -> AttemptOutcome:
        claimed, kind = self._claimed, cast(Agent, node.type)
        if claimed.depth > MAX_DEPTH:
            message = f"Runs have begun each other {MAX_DEPTH} deep, and no deeper"
            raise NodeFailed("loop_detected", message)
        prompt = kind.read_task(node.settings, inputs)
        tools = await self._targets.agents.find_tools(claimed, node)
        task = structs.replace(prompt, workflows=tools)
        following = replay(task, node.settings.rules, ()).next
        if isinstance(following, NodeFailed):
            raise following
        if not isinstance(following, NextRound):
            raise AssertionError("an agent begins with a round")
        opening = GroupOpening(
            node_id=node.id,
            target=body_target(claimed, node.id),
            depth=claimed.depth + 1,
            shared={TASK: msgspec.to_builtins(task)},
            calls=[target_of_tool(claimed, each) for each in tools],
            former=claimed.record.get("retry_of", b"").decode(),
        )
        new = NewRound(
            ref=GroupRef(claimed.account_id, claimed.execution_id, node.index, claimed.root_id),
            expected=0,
            items=self._items(node, following),
            opening=opening,
            object_prefix=claimed.lease.object_prefix,
        )
        return await self._append(node, new)

    def _items(self, node: Node, following: NextRound) -> Sequence[RoundItem]:
        return [
            RoundItem(target=target_of(self._claimed, node.id, each), inputs=each.inputs)
            for each in following.children
        ]

    async def _append(self, node: Node, new: NewRound) -> AttemptOutcome:
        match await self._children.rounds.append(new):
            case GroupOpened(created_at=created_at):
                return AttemptOutcome(parked_until=deadline_of(node, created_at))
            case TooManyChildren(count=count):
                message = f"A run has at most {MAX_CHILDREN} children, and this one has {count}"
                raise NodeFailed("too_many_children", message)
            case CalleeGone():
                message = "A workflow that this node names as a tool is gone"
                raise NodeFailed(WORKFLOW_NOT_FOUND, message)
            case ParentEnded():
                return AttemptOutcome(parked_until=NEVER)  # the next step says so

    async def _read_task(self, ref: GroupRef) -> AgentTask:
        try:
            task = await self._targets.agents.read_task(ref)
        except FileNotFoundError:
            task = None
        if task is None:
            raise NodeFailed(STORAGE, UNREADABLE)
        return task

    async def _replay(
        self, node: Node, group: Group, task: AgentTask, memory: NodeMemory
    ) -> Replay:
        outcomes = await self._children.outcomes(group, range(group.size))
        results = await self._read_results(outcomes, memory)
        costs = await self._children.rounds.costs(group.ref, group.size)
        ends = [
            ended_child(outcome, result.value, cost)
            for outcome, result, cost in zip(outcomes, results, costs, strict=True)
        ]
        parent_id = self._claimed.execution_id
        return replay(
            task,
            node.settings.rules,
            ends,
            lambda index: child_execution_id(parent_id, node.id, index),
        )

    async def _failure_of(self, group: Group, index: int, memory: NodeMemory) -> NodeFailed:
        """Return the failure of the child that ends the root."""
        outcomes = await self._children.outcomes(group, [index])
        [result] = await self._read_results(outcomes, memory)
        if result.status is not ItemStatus.FAILED or result.error is None:
            return NodeFailed("cancelled", "A step of the agent was cancelled")
        return NodeFailed(result.error["code"], result.error["message"])


def outputs_of(settings: AgentSettings, end: AgentEnd, state: Replay) -> dict[str, Any]:
    """Return the outputs of an agent that has finished."""
    steps = [msgspec.to_builtins(each) for each in state.steps]
    answer = {} if settings.schema is None else {JSON_OUT: end.value}
    return {TEXT_OUT: end.text, **answer, STEPS_OUT: steps}


def deadline_of(node: Node, began_at: int) -> int:
    """Return the time in milliseconds at which the node fails if its children still run."""
    seconds = node.policy.timeout_seconds
    return NEVER if seconds is None else began_at + int(seconds * 1000)
