"""Children of earlier executions, whose outcomes a replay may take too."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from engine.errors import InvalidBody
from engine.graph.plan import Plan
from engine.ids.executions import child_execution_id
from engine.nodes.agents.rounds_node import RoundsNode
from engine.nodes.support.children import ChildrenNode
from engine.services.replays.replayed_executions import ReplayedExecution
from engine.store.children.keys import GroupRef

MOST_CHILDREN = 1_000
"""Children of an earlier run that are read; nodes of further ones have no recorded outcome."""
READ_AT_ONCE = 20


def begins_children(plan: Plan) -> bool:
    """Return whether nodes of a plan begin children that may differ from the recorded ones."""
    return any(_has_replayed_children(plan, index) for index in plan.children)


async def walk_children(
    former: ReplayedExecution, plan: Plan
) -> AsyncIterator[tuple[ReplayedExecution, Plan]]:
    """Yield the ended children of an execution with their plans, and their children.

    Those of agents are left out, since the turns of a model have no settings to compare. Raises
    ResultUnreadable or Unavailable.
    """
    pending, left = [(former, plan)], MOST_CHILDREN
    while pending:
        parent, parent_plan = pending.pop(0)
        for index in parent_plan.children:
            if not _has_replayed_children(parent_plan, index):
                continue
            async for child in _children_of(parent, parent_plan, index, former.id, left):
                left -= 1
                pending.append(child)
                yield child


def _has_replayed_children(plan: Plan, index: int) -> bool:
    kind = plan.nodes[index].type
    return isinstance(kind, ChildrenNode) and not isinstance(kind, RoundsNode)


async def _children_of(
    parent: ReplayedExecution, plan: Plan, index: int, root_id: str, most: int
) -> AsyncIterator[tuple[ReplayedExecution, Plan]]:
    """Yield the children of a node in the order of their index."""
    store, node_id = parent.store, plan.nodes[index].id
    group = await store.children.find(GroupRef(parent.account_id, parent.id, index, root_id))
    # The history has no groups, but children, of which the first ones have begun.
    size = most if group is None else min(group.size, most)
    for first in range(0, size, READ_AT_ONCE):
        indexes = range(first, min(first + READ_AT_ONCE, size))
        some = await _read(parent, node_id, indexes)
        for child in some:
            try:
                yield child, await child.read_plan()
            except InvalidBody:
                continue  # its version is gone
        if group is None and not some:
            return


async def _read(
    parent: ReplayedExecution, node_id: str, indexes: Sequence[int]
) -> Sequence[ReplayedExecution]:
    """Return the children that are on record, and have recorded values."""
    store, account_id = parent.store, parent.account_id
    ids = [child_execution_id(parent.id, node_id, index) for index in indexes]
    records = await asyncio.gather(*(store.executions.record(account_id, each) for each in ids))
    children = [
        ReplayedExecution(store, account_id, child_id, record)
        for child_id, record in zip(ids, records, strict=True)
        if record
    ]
    return [each for each in children if each.has_values]
