"""List of an account's executions, newest first, by pages."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import ResultGone, Unavailable
from engine.executions.execution import Execution
from engine.store.executions.offload import size_of
from engine.store.executions.record_fields import (
    HEAD_FIELDS,
    RESULT_AT,
    make_cursor,
    parse_cursor,
    parse_head,
    parse_name,
)
from engine.store.executions.results import BUSY, ReserveMemory, Results
from engine.store.executions.scan import CHUNK, ExecutionFilter, scan
from engine.store.redis import keyspace
from engine.store.redis.client import Client

OPEN_CHUNK = 100
"""Rows per read without a filter."""
EXAMINED_AT_MOST = 10_000
"""Executions examined per request; a page ends early when a filter has skipped the others."""
PAGE_BYTES = 16_777_216
"""Size of results after which a page ends early, with one row at least."""
HELD_BYTES = 262_144
"""Size of results above which memory is reserved for a page."""


@dataclass(frozen=True, slots=True)
class _Head:
    """Execution with its recorded result."""

    execution: Execution
    result: bytes | None

    @property
    def size(self) -> int:
        name = parse_name(self.result)
        return len(self.result or b"") if name is None else size_of(name)


class ExecutionList:
    """Reads pages; only the results of a page's final rows are read."""

    def __init__(self, client: Client, results: Results) -> None:
        self._client = client
        self._results = results

    async def page(
        self,
        account_id: str,
        wanted: ExecutionFilter,
        *,
        limit: int,
        cursor: str | None,
        reserve: ReserveMemory | None,
    ) -> tuple[list[Execution], str | None]:
        """Return at most `limit` executions, and the cursor of the next page, None at the end.

        A page with a cursor may have fewer than `limit` rows, or none, when matches are rare.
        Raises ValueError for an invalid cursor, and Unavailable.
        """
        found: list[_Head] = []
        position = None if cursor is None else parse_cursor(cursor)
        is_end = False
        chunks = scan(
            self._client,
            account_id,
            wanted,
            position,
            at_most=EXAMINED_AT_MOST,
            chunk=OPEN_CHUNK if wanted.is_open else CHUNK,
        )
        async for chunk in chunks:
            rows = chunk.matching[: limit - len(found)]
            heads = await asyncio.gather(*(self._head(account_id, row[1]) for row in rows))
            count = _count_that_fit(heads, found)
            found += [each for each in heads[:count] if each and wanted.matches(each.execution)]
            if count < len(chunk.matching):
                position = rows[count - 1] if count else position
                break
            position, is_end = chunk.last, chunk.is_end
            if len(found) == limit or count < len(rows):
                break
        next_cursor = None if is_end or position is None else make_cursor(*position)
        return await self._with_results(found, reserve), next_cursor

    async def _head(self, account_id: str, execution_id: str) -> _Head | None:
        key = keyspace.execution(account_id, execution_id)
        values = await self._client.send("HMGET", key, *HEAD_FIELDS)
        if values[0] is None:
            return None  # pruned after the page was read
        return _Head(parse_head(account_id, execution_id, values), values[RESULT_AT])

    async def _with_results(
        self, heads: Sequence[_Head], reserve: ReserveMemory | None
    ) -> list[Execution]:
        size = sum(each.size for each in heads)
        if reserve is not None and size > HELD_BYTES:
            try:
                await reserve(size)  # in one call, lest two pages deadlock
            except TimeoutError:
                raise Unavailable(BUSY) from None
        return await asyncio.gather(*(self._with_result(each) for each in heads))

    async def _with_result(self, head: _Head) -> Execution:
        try:
            return await self._results.add(head.execution, head.result)
        except ResultGone:
            return head.execution  # a read of that single execution reports the error


def _count_that_fit(heads: Sequence[_Head | None], found: Sequence[_Head]) -> int:
    """Return the number of heads that fit on the page; its first always fits."""
    room = PAGE_BYTES - sum(each.size for each in found)
    for count, head in enumerate(heads):
        room -= head.size if head else 0
        if room < 0 and (found or count):
            return count
    return len(heads)
