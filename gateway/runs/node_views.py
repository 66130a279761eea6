"""Nodes of executions as callers see them, with the children of each."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from msgspec import UNSET, Struct, UnsetType

from engine.executions.statuses import NodeStatus
from engine.graph.plan import NodeName
from engine.store import Store
from engine.store.archive.archive import ParentNode
from engine.store.executions.read.children import NodeChildren
from gateway.http.types import OBJECT, Credits, Moment, Nested, Uuid, described_as, doc

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


class NodeFailure(Nested):
    """Reason why a node failed."""

    code: str
    message: str


class ChildStatuses(Nested):
    """Number of a node's children of each status; one that never began may have failed too."""

    queued: int
    processing: int
    completed: int
    failed: int
    cancelled: int


class NodeView(Nested):
    """One node of an execution."""

    id: str
    type: str
    status: NodeStatus
    attempts: int
    started_at: Moment | None
    duration_ms: int | None
    credits_cost: Credits
    error: Annotated[OBJECT | None, described_as(NodeFailure | None)]
    child_count: Annotated[
        int | UnsetType, doc("Executions that it begins, its children; absent without any.")
    ] = UNSET
    child_statuses: Annotated[
        ChildStatuses | UnsetType,
        doc("Numbers of its children; absent once they are not on record."),
    ] = UNSET
    child_execution_ids: Annotated[
        list[Uuid] | UnsetType,
        doc("The first 100 children that have begun; `GET /api/executions` lists all."),
    ] = UNSET


def child_members(of_node: ChildrenOfNode | None) -> dict[str, Any]:
    """Return the members of a node about its children."""
    if of_node is None:
        return dict.fromkeys(("child_count", "child_statuses", "child_execution_ids"), UNSET)
    found = of_node.children
    return {
        "child_count": found.size,
        "child_statuses": ChildStatuses.from_record(found.counts) if found.states else UNSET,
        "child_execution_ids": of_node.first_ids,
    }
