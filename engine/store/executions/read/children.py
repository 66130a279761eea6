"""Reads of the executions that the nodes of another one, their parent, began."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from engine.errors import ExecutionNotFound, InvalidCursor
from engine.executions.batches import BatchCounts, ItemStatus
from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.ids.executions import child_execution_id
from engine.store.archive.archive import Archive, ParentNode
from engine.store.children.keys import GROUPS, children, parse_groups
from engine.store.executions.read.child_states import (
    STATES,
    read_states,
)
from engine.store.executions.read.list import ExecutionList
from engine.store.executions.read.records import ExecutionRecords, read_newest_forgotten
from engine.store.executions.read.results import ReserveMemory
from engine.store.executions.record_fields import make_cursor, parse_cursor
from engine.store.redis import keyspace
from engine.store.redis.client import Client

EXAMINED_AT_MOST = 2_000
"""Children examined per request; those that never began have no execution."""
LETTERS: Mapping[ExecutionStatus, str] = {
    ExecutionStatus.PROCESSING: ItemStatus.PROCESSING.code,
    ExecutionStatus.CANCEL_REQUESTED: ItemStatus.PROCESSING.code,
    ExecutionStatus.COMPLETED: ItemStatus.COMPLETED.code,
    ExecutionStatus.FAILED: ItemStatus.FAILED.code,
    ExecutionStatus.CANCELLED: ItemStatus.CANCELLED.code,
}
"""State of a child in its group, by its status."""


MAY_HAVE_NONE = ItemStatus.FAILED.code + ItemStatus.CANCELLED.code
"""States in which a child may be that never began, and that has no execution then."""


class NodeChildren(Struct, frozen=True, kw_only=True):
    """Children of one node."""

    size: int
    states: str
    """State of each, a code of `ItemStatus`; empty: not on record any more."""

    @property
    def counts(self) -> BatchCounts:
        """Number of children of each status."""
        return BatchCounts.of(self.states)


class ChildList:
    """Reads the children of nodes; the caller of a public workflow of others sees none."""

    def __init__(self, client: Client, archive: Archive, executions: ExecutionList) -> None:
        self._client = client
        self._archive = archive
        self._records = ExecutionRecords(client, archive)
        self._executions = executions

    async def of_nodes(self, account_id: str, parent_id: str) -> dict[int, NodeChildren]:
        """Return the children of an execution by the index of their node."""
        names = "status", "owner", GROUPS
        _, owner, field = await self._records.fields(account_id, parent_id, *names)
        groups = {} if owner else parse_groups(field)
        if not groups:
            return {}
        states = await read_states(self._client, account_id, parent_id, groups)
        if missing := [index for index in groups if index not in states]:
            fields = [f"{STATES}{index}" for index in missing]
            _, *values = await self._records.fields(account_id, parent_id, "status", *fields)
            states |= {index: each for index, each in zip(missing, values, strict=True) if each}
        return {
            index: NodeChildren(size=size, states=states.get(index, b"").decode())
            for index, size in groups.items()
        }

    async def first_ids(
        self, account_id: str, place: ParentNode, found: NodeChildren, at_most: int
    ) -> list[str]:
        """Return the ids of the first children of a node that began, at most so many.

        Some of those that failed or were cancelled never began. Raises Unavailable.
        """
        indexes = _matching(found.states, (), -1)[:at_most]
        ids = {index: child_execution_id(*place, index) for index in indexes}
        doubtful = [ids[index] for index in indexes if found.states[index] in MAY_HAVE_NONE]
        keys = [keyspace.execution(account_id, each) for each in doubtful]
        there = await asyncio.gather(*(self._client.send("EXISTS", key) for key in keys))
        absent = {each for each, count in zip(doubtful, there, strict=True) if not int(count)}
        if absent and await read_newest_forgotten(self._client, account_id) is not None:
            known = await self._archive.known((account_id, each) for each in absent)
            absent -= {execution_id for _, execution_id in known}
        return [each for each in ids.values() if each not in absent]

    async def page(
        self,
        account_id: str,
        place: ParentNode,
        statuses: Collection[ExecutionStatus],
        *,
        limit: int,
        cursor: str | None,
        reserve: ReserveMemory | None = None,
    ) -> tuple[list[Execution], str | None]:
        """Return children in the order of their indexes, and the cursor of the next page.

        A page may be short, like those of `ExecutionList`. Raises ExecutionNotFound, InvalidCursor
        and Unavailable.
        """
        after = -1 if cursor is None else _parse_index(place, cursor)
        states = await self._states(account_id, place)
        if states is None:
            return [], None
        if not states:
            found, last = await self._archived(account_id, place, statuses, after, limit, reserve)
        else:
            indexes = _matching(states, statuses, after)
            found, last = await self._hot(account_id, place, indexes, limit, reserve)
        rows = [each for each in found if not statuses or each.status in statuses]
        return rows, None if last is None else make_cursor(last, place.parent_id)

    async def _states(self, account_id: str, place: ParentNode) -> str | None:
        """Return the states of a node's children in Redis, empty where it has none any more.

        None: the node has no children that the caller may see. Raises ExecutionNotFound.
        """
        names = "status", "owner", GROUPS
        parent_id = place.parent_id
        status, owner, field = await self._records.fields(account_id, parent_id, *names)
        if status is None:
            raise ExecutionNotFound
        groups = parse_groups(field)
        if owner or not groups:
            return None
        keys = [children(account_id, parent_id, index) for index in groups]
        ids = await asyncio.gather(*(self._client.send("HGET", key, "node") for key in keys))
        wanted = place.node_id.encode()
        own = {
            index: groups[index] for index, each in zip(groups, ids, strict=True) if each == wanted
        }
        if not own:
            return None if all(ids) else ""
        found = await read_states(self._client, account_id, parent_id, own)
        return b"".join(found.values()).decode()

    async def _hot(
        self,
        account_id: str,
        place: ParentNode,
        indexes: Sequence[int],
        limit: int,
        reserve: ReserveMemory | None,
    ) -> tuple[list[Execution], int | None]:
        """Return children by their indexes, and the last one read if others follow."""
        rows: list[Execution] = []
        done = 0
        while len(rows) < limit and done < min(len(indexes), EXAMINED_AT_MOST):
            part = indexes[done : done + limit - len(rows)]
            ids = [child_execution_id(*place, index) for index in part]
            found, count = await self._executions.named(account_id, ids, reserve)
            rows += [found[each] for each in ids[:count] if each in found]
            done += count
            if count < len(part):
                break
        return rows, indexes[done - 1] if done < len(indexes) else None

    async def _archived(
        self,
        account_id: str,
        place: ParentNode,
        statuses: Collection[ExecutionStatus],
        after: int,
        limit: int,
        reserve: ReserveMemory | None,
    ) -> tuple[list[Execution], int | None]:
        heads = await self._archive.children(
            account_id, place, statuses, after=after, limit=limit + 1
        )
        indexes = [each.execution.child.index for each in heads[:limit] if each.execution.child]
        rows = await self._executions.archived(account_id, heads[:limit], reserve)
        has_more = len(rows) < len(heads)
        return rows, indexes[len(rows) - 1] if has_more else None


def _matching(states: str, statuses: Collection[ExecutionStatus], after: int) -> list[int]:
    """Return the indexes after one, of children in the states that these statuses may have."""
    letters = {LETTERS[each] for each in statuses} or set(LETTERS.values())

    def indexes() -> Iterator[int]:
        for index in range(after + 1, len(states)):
            if states[index] in letters:
                yield index

    return list(indexes())


def _parse_index(place: ParentNode, cursor: str) -> int:
    """Return the index of a cursor's row. Raises InvalidCursor."""
    position = parse_cursor(cursor)
    if position.id != place.parent_id or position.at < 0:
        raise InvalidCursor
    return position.at
