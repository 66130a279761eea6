"""Steps of an agent on record: of one that runs, and of one that has ended.

An agent that has completed has its steps among its outputs. Of others the loop is replayed over
the ends of the children: those in the group while the parent is in Redis, later those of the
archived children, of which each is an execution of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from engine.errors import StorageFailed
from engine.errors.nodes import NodeFailed
from engine.executions.execution import NodeExecution
from engine.executions.statuses import NodeStatus
from engine.graph.plan import Node
from engine.ids.executions import child_execution_id
from engine.nodes.agents.agent import STEPS_OUT, Agent, AgentSettings
from engine.nodes.agents.loop import replay
from engine.nodes.agents.rounds import AgentTask, EndedChild
from engine.nodes.agents.steps import AgentStep, StepStatus
from engine.nodes.agents.tool_names import KnownTool
from engine.services.runs.agents.archived_children import read_archived, replayable_error
from engine.services.runs.agents.targets import read_task
from engine.store import ReserveMemory, Store
from engine.store.archive.archive import ParentNode
from engine.store.children.keys import GroupRef
from engine.store.children.records import ChildOutcome, Group
from engine.store.children.rounds import ChildCost
from engine.store.executions.offload import size_of
from engine.store.redis.record_packing import unpack

MakeRoom = Callable[[int], Awaitable[None]]
GOING_ON = frozenset({StepStatus.WAITING, StepStatus.PROCESSING})
OVER = frozenset({NodeStatus.COMPLETED, NodeStatus.FAILED, NodeStatus.CANCELLED})


class RecordedAgent(Struct, frozen=True):
    """Agent of an execution, and its values on record."""

    account_id: str
    execution_id: str
    node: Node
    state: NodeExecution
    inputs: Mapping[str, Any] | None
    outputs: Mapping[str, Any] | None
    is_recorded: bool
    """Whether values are kept; steps have none without."""


def is_agent(node: Node) -> bool:
    """Return whether a node has steps."""
    return isinstance(node.type, Agent)


async def read_steps(
    store: Store, agent: RecordedAgent, make_room: MakeRoom, reserve: ReserveMemory | None
) -> Sequence[AgentStep] | None:
    """Return the steps of an agent so far; None: they are not on record.

    `make_room` and `reserve` reserve memory for values that are read. Raises ResultUnreadable,
    ResultGone and Unavailable.
    """
    if agent.outputs is not None and STEPS_OUT in agent.outputs:
        return msgspec.convert(agent.outputs[STEPS_OUT], list[AgentStep])
    ref = GroupRef(agent.account_id, agent.execution_id, agent.node.index, agent.execution_id)
    place = ParentNode(agent.execution_id, agent.node.id)
    group = await store.children.find(ref)
    task: AgentTask | None = _known_task(agent)
    try:
        if group is None:
            ends = await read_archived(store, agent.account_id, place, reserve)
        else:
            task = await read_task(store, ref) if agent.is_recorded else task
            ends = await _read_group(store, group, make_room)
    except (FileNotFoundError, StorageFailed):
        return None
    if task is None:
        return None
    found = replay(
        task, agent.node.settings.rules, ends, lambda index: child_execution_id(*place, index)
    )
    return [_as_seen(agent, each) for each in found.steps]


def ended_child(outcome: ChildOutcome, value: Any, cost: ChildCost) -> EndedChild:
    """Return a child as the loop of the agent sees it."""
    return EndedChild(
        status=outcome.status,
        value=value,
        error=replayable_error(outcome.error),
        credits_cost=cost.credits,
        duration_ms=cost.duration_ms,
    )


async def _read_group(store: Store, group: Group, make_room: MakeRoom) -> Sequence[EndedChild]:
    """Return the children of a group. Raises FileNotFoundError or StorageFailed."""
    outcomes, costs = await asyncio.gather(
        store.children.outcomes(group, range(group.size)),
        store.children.rounds.costs(group.ref, group.size),
    )
    await make_room(sum(map(_size, outcomes)))
    values = await asyncio.gather(*(_value(store, group.ref, each) for each in outcomes))
    return [
        ended_child(outcome, value, cost)
        for outcome, value, cost in zip(outcomes, values, costs, strict=True)
    ]


def _known_task(agent: RecordedAgent) -> AgentTask:
    """Return the task of an agent without a group; no step tells descriptions of tools."""
    settings: AgentSettings = agent.node.settings
    slugs = [each.workflow for each in settings.tools if each.workflow]
    workflows = tuple(KnownTool(name=slug, workflow=slug) for slug in slugs)
    try:
        task = Agent().read_task(settings, agent.inputs or {})
    except NodeFailed:  # the agent has failed for its inputs
        task = AgentTask(prompt="")
    return msgspec.structs.replace(task, workflows=workflows)


def _as_seen(agent: RecordedAgent, step: AgentStep) -> AgentStep:
    """Return a step as callers see it: none goes on after its node.

    A step that has not begun has no execution yet.
    """
    changes: dict[str, Any] = {} if agent.is_recorded else {"input": None, "output": None}
    if step.status is StepStatus.WAITING:
        changes["child_execution_id"] = ""
    if step.status in GOING_ON and agent.state.status in OVER:
        changes["status"] = StepStatus.CANCELLED
    return msgspec.structs.replace(step, **changes)


def _size(outcome: ChildOutcome) -> int:
    return size_of(outcome.name) if outcome.name is not None else len(outcome.packed or b"")


async def _value(store: Store, ref: GroupRef, outcome: ChildOutcome) -> Any:
    packed = outcome.packed
    if outcome.name is not None:
        packed = await store.offloaded.read(ref.account_id, ref.parent_id, outcome.name)
    return unpack(packed) if packed else None
