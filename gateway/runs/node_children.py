"""Children of the nodes of an execution: their number, statuses and first ids."""

import asyncio
from collections.abc import Mapping, Sequence

from msgspec import Struct

from engine.graph.plan import NodeName
from engine.store import Store
from engine.store.archive.archive import ParentNode
from engine.store.executions.read.children import NodeChildren

MOST_IDS = 100
"""Ids of children that their node shows."""


class ChildrenOfNode(Struct, frozen=True):
    """Children of a node, and the ids of the first that have begun."""

    children: NodeChildren
    first_ids: list[str]


async def read_children(
    store: Store,
    account_id: str,
    parent_id: str,
    groups: Mapping[int, NodeChildren],
    names: Sequence[NodeName],
) -> dict[int, ChildrenOfNode]:
    """Return the children of nodes by index, for nodes with a name. Raises Unavailable."""

    async def read(index: int, found: NodeChildren) -> ChildrenOfNode:
        place = ParentNode(parent_id, names[index].id)
        ids = await store.executions.children.first_ids(account_id, place, found, MOST_IDS)
        return ChildrenOfNode(found, ids)

    named = {index: each for index, each in groups.items() if index < len(names)}
    found = await asyncio.gather(*(read(*pair) for pair in named.items()))
    return dict(zip(named, found, strict=True))
