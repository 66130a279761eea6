"""An account's executions, newest first, a page at a time."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from engine import keyspace
from engine.errors import ResultGone, Unavailable
from engine.executions import Execution, ExecutionStatus
from engine.store.asides import size_of
from engine.store.client import Client
from engine.store.execution_records import (
    HEAD_FIELDS,
    RESULT_AT,
    make_cursor,
    parse_cursor,
    parse_head,
    parse_name,
)
from engine.store.results import BUSY, Hold, Results

SCAN_PAGE = 100
PAGE_BYTES = 16_777_216
"""A page ends early, after one row at least, when its results are larger than this together."""
HELD_BYTES = 262_144
"""A page whose results are larger than this together is held as a large result is."""

Row = tuple[int, str]
"""Creation time in milliseconds, and id."""


@dataclass(frozen=True, slots=True)
class _Head:
    """An execution, and what is on record of its result."""

    execution: Execution
    result: bytes | None

    @property
    def size(self) -> int:
        name = parse_name(self.result)
        return len(self.result or b"") if name is None else size_of(name)


class ExecutionList:
    """Reads pages; results are read of those rows only that a page has in the end."""

    def __init__(self, client: Client, results: Results) -> None:
        self._client = client
        self._results = results

    async def page(
        self,
        account_id: str,
        *,
        status: ExecutionStatus | None,
        workflow_slug: str | None,
        limit: int,
        cursor: str | None,
        hold: Hold | None,
    ) -> tuple[list[Execution], str | None]:
        """At most `limit` executions, and the cursor of the next page.

        Raises ValueError for a cursor that is not one, and Unavailable.
        """
        found: list[_Head] = []
        position = None if cursor is None else parse_cursor(cursor)
        while True:
            # By the last row again, not by counting on: newer ones may have come in before it.
            page = await self._rows(account_id, await self._start(account_id, position))
            rows = await self._matching(account_id, page, status, workflow_slug)
            wanted = rows[: limit - len(found)]
            heads = await asyncio.gather(*(self._head(account_id, row[1]) for row in wanted))
            used = wanted[: _room_for(heads, found)]
            found += [
                each
                for each in heads[: len(used)]
                if each and _matches(each.execution, status, workflow_slug)
            ]
            if len(used) == len(rows):
                if len(page) < SCAN_PAGE:
                    return await self._with_results(found, hold), None
                position = page[-1]
            elif used:
                position = used[-1]
            if len(found) == limit or len(used) < len(wanted):
                return await self._with_results(found, hold), position and make_cursor(*position)

    async def _start(self, account_id: str, position: Row | None) -> int:
        if position is None:
            return 0
        key = keyspace.account_executions(account_id)
        rank = await self._client.send("ZREVRANK", key, position[1])
        if rank is not None:
            return int(rank) + 1
        # It was pruned meanwhile: go on behind its time.
        return int(await self._client.send("ZCOUNT", key, position[0], "+inf"))

    async def _rows(self, account_id: str, start: int) -> Sequence[Row]:
        key = keyspace.account_executions(account_id)
        end = start + SCAN_PAGE - 1
        rows = await self._client.send("ZRANGE", key, start, end, "REV", "WITHSCORES")
        return [(int(score), member.decode()) for member, score in rows]

    async def _matching(
        self,
        account_id: str,
        page: Sequence[Row],
        status: ExecutionStatus | None,
        workflow_slug: str | None,
    ) -> Sequence[Row]:
        """The rows worth reading: results may be large, so only two words are read of each."""
        if status is None and workflow_slug is None:
            return page
        wanted = (status and status.value.encode(), workflow_slug and workflow_slug.encode())
        replies = await asyncio.gather(
            *(
                self._client.send("HMGET", keyspace.execution(account_id, row[1]), "status", "slug")
                for row in page
            )
        )
        return [
            row
            for row, words in zip(page, replies, strict=True)
            if all(want is None or want == word for want, word in zip(wanted, words, strict=True))
        ]

    async def _head(self, account_id: str, execution_id: str) -> _Head | None:
        key = keyspace.execution(account_id, execution_id)
        values = await self._client.send("HMGET", key, *HEAD_FIELDS)
        if values[0] is None:
            return None  # pruned since the page was read
        return _Head(parse_head(account_id, execution_id, values), values[RESULT_AT])

    async def _with_results(self, heads: Sequence[_Head], hold: Hold | None) -> list[Execution]:
        size = sum(each.size for each in heads)
        if hold is not None and size > HELD_BYTES:
            try:
                await hold(size)  # all at once: no two wait for what the other has
            except TimeoutError:
                raise Unavailable(BUSY) from None
        return await asyncio.gather(*(self._with_result(each) for each in heads))

    async def _with_result(self, head: _Head) -> Execution:
        try:
            return await self._results.add(head.execution, head.result)
        except ResultGone:
            return head.execution  # whoever reads that one alone is told


def _room_for(heads: Sequence[_Head | None], found: Sequence[_Head]) -> int:
    """How many of these a page has room for beside what it has; for its first in any case."""
    room = PAGE_BYTES - sum(each.size for each in found)
    for count, head in enumerate(heads):
        room -= head.size if head else 0
        if room < 0 and (found or count):
            return count
    return len(heads)


def _matches(
    execution: Execution, status: ExecutionStatus | None, workflow_slug: str | None
) -> bool:
    return (status is None or execution.status is status) and (
        workflow_slug is None or execution.workflow_slug == workflow_slug
    )
