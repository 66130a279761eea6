"""Steps of an agent on record: of one that runs, and of one that has ended."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from engine.errors import StorageFailed
from engine.graph.plan import Node
from engine.ids.executions import child_execution_id
from engine.nodes.agents.agent import STEPS_OUT, Agent
from engine.nodes.agents.loop import replay
from engine.nodes.agents.rounds import EndedChild
from engine.nodes.agents.steps import AgentStep
from engine.services.runs.agents.targets import read_task
from engine.store import Store
from engine.store.children.keys import GroupRef
from engine.store.children.records import ChildOutcome
from engine.store.children.rounds import ChildCost
from engine.store.executions.offload import size_of
from engine.store.redis.record_packing import unpack

MakeRoom = Callable[[int], Awaitable[None]]


async def read_steps(
    store: Store,
    account_id: str,
    execution_id: str,
    node: Node,
    outputs: Mapping[str, Any] | None,
    make_room: MakeRoom,
) -> Sequence[AgentStep] | None:
    """Return the steps of an agent so far; None: the node is none, or they are not on record.

    `make_room` reserves memory for values that are read. Raises Unavailable.
    """
    if not isinstance(node.type, Agent):
        return None
    if outputs is not None and STEPS_OUT in outputs:
        return msgspec.convert(outputs[STEPS_OUT], list[AgentStep])
    ref = GroupRef(account_id, execution_id, node.index, execution_id)
    group = await store.children.find(ref)
    if group is None:
        return None
    outcomes, costs = await asyncio.gather(
        store.children.outcomes(group, range(group.size)),
        store.children.rounds.costs(ref, group.size),
    )
    await make_room(sum(map(_size, outcomes)))
    try:
        task = await read_task(store, ref)
        values = await asyncio.gather(*(_value(store, ref, each) for each in outcomes))
    except (FileNotFoundError, StorageFailed):
        return None
    if task is None:
        return None
    ends = [
        ended_child(outcome, value, cost)
        for outcome, value, cost in zip(outcomes, values, costs, strict=True)
    ]
    found = replay(
        task,
        node.settings.rules,
        ends,
        lambda index: child_execution_id(execution_id, node.id, index),
    )
    return found.steps


def ended_child(outcome: ChildOutcome, value: Any, cost: ChildCost) -> EndedChild:
    """Return a child as the loop of the agent sees it."""
    return EndedChild(
        status=outcome.status,
        value=value,
        error=_innermost(outcome.error),
        credits_cost=cost.credits,
        duration_ms=cost.duration_ms,
    )


def _innermost(error: Mapping[str, Any] | None) -> Mapping[str, str] | None:
    """Return a child's error with the code and the reason of the node that failed in it."""
    if error is None:
        return None
    code = error.get("nodeCode") or error["code"]
    return {"code": code, "message": error.get("reason") or error["message"]}


def _size(outcome: ChildOutcome) -> int:
    return size_of(outcome.name) if outcome.name is not None else len(outcome.packed or b"")


async def _value(store: Store, ref: GroupRef, outcome: ChildOutcome) -> Any:
    packed = outcome.packed
    if outcome.name is not None:
        packed = await store.offloaded.read(ref.account_id, ref.parent_id, outcome.name)
    return unpack(packed) if packed else None
