"""List of an account's executions, newest first, by pages: hot and archived ones in one order.

Redis has every execution that was created after the newest one it has forgotten. An execution is
archived before it is forgotten, so one that is not found in Redis first is in the history then.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.errors import ResultGone, Unavailable
from engine.executions.execution import Execution
from engine.executions.filter import ExecutionFilter, Position
from engine.store.archive.archive import Archive, ArchivedExecution, ArchivedPage
from engine.store.archive.state import CANNOT_READ
from engine.store.executions.read.records import read_newest_forgotten
from engine.store.executions.read.results import BUSY, ReserveMemory, Results, result_size
from engine.store.executions.read.scan import CHUNK, scan
from engine.store.executions.record_fields import (
    HEAD_FIELDS,
    RESULT_AT,
    make_cursor,
    parse_cursor,
    parse_head,
)
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
    """Execution with the size of its result, and its recorded result if it was read."""

    execution: Execution
    size: int
    result: bytes | None = None
    is_archived: bool = False

    @property
    def row(self) -> Position:
        return Position(self.execution.created_at, self.execution.id)


@dataclass(slots=True)
class _Part:
    """Matches from one source, and the last row up to which they are complete; None: all."""

    heads: list[_Head]
    last: Position | None


class ExecutionList:
    """Reads pages; only the results of a page's final rows are read."""

    def __init__(self, client: Client, archive: Archive, results: Results) -> None:
        self._client = client
        self._archive = archive
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
        part = await self._part(account_id, wanted, limit, cursor)
        heads, last = part.heads[:limit], part.last
        heads = heads[: _count_that_fit([each.size for each in heads])]
        if len(heads) < len(part.heads):
            last = heads[-1].row
        executions = await self._with_results(account_id, heads, reserve)
        return executions, None if last is None else make_cursor(*last)

    async def heads(
        self, account_id: str, wanted: ExecutionFilter, *, limit: int, cursor: str | None
    ) -> tuple[list[Execution], str | None]:
        """Return executions without results, otherwise like `page`."""
        part = await self._part(account_id, wanted, limit, cursor)
        heads = part.heads[:limit]
        last = heads[-1].row if len(heads) < len(part.heads) else part.last
        return [each.execution for each in heads], None if last is None else make_cursor(*last)

    async def _part(
        self, account_id: str, wanted: ExecutionFilter, limit: int, cursor: str | None
    ) -> _Part:
        """Return the first matches after a cursor, hot and archived ones, maybe more than `limit`.

        Raises ValueError for an invalid cursor, and Unavailable.
        """
        position = None if cursor is None else parse_cursor(cursor)
        part = await self._hot(account_id, wanted, position, limit)
        forgotten_at = await read_newest_forgotten(self._client, account_id)
        if forgotten_at is None or _is_newer(part.last, forgotten_at):
            return part
        return await self._with_archived(account_id, wanted, position, limit, part, forgotten_at)

    async def named(
        self, account_id: str, execution_ids: Sequence[str], reserve: ReserveMemory | None
    ) -> tuple[dict[str, Execution], int]:
        """Return those of these executions that are there, by id, and how many ids were read.

        The last ids are not read where the results before them are large. Raises Unavailable.
        """
        hot = await asyncio.gather(*(self._head(account_id, each) for each in execution_ids))
        heads = {each.execution.id: each for each in hot if each is not None}
        missing = [each for each in execution_ids if each not in heads]
        if missing and await read_newest_forgotten(self._client, account_id) is not None:
            for each in await self._archive.heads(account_id, missing):
                heads[each.execution.id] = _archived(each)
        sizes = [heads[each].size if each in heads else 0 for each in execution_ids]
        count = _count_that_fit(sizes)
        read = [heads[each] for each in execution_ids[:count] if each in heads]
        executions = await self._with_results(account_id, read, reserve)
        return {each.id: each for each in executions}, count

    async def archived(
        self,
        account_id: str,
        found: Sequence[ArchivedExecution],
        reserve: ReserveMemory | None,
    ) -> list[Execution]:
        """Return the first of these executions with their results, as many as fit on a page."""
        heads = [_archived(each) for each in found]
        count = _count_that_fit([each.size for each in heads])
        return await self._with_results(account_id, heads[:count], reserve)

    async def _hot(
        self, account_id: str, wanted: ExecutionFilter, position: Position | None, limit: int
    ) -> _Part:
        matches: list[_Head] = []
        chunk_size = CHUNK if wanted.needs_record or wanted.id_start else OPEN_CHUNK
        limits = {"at_most": EXAMINED_AT_MOST, "chunk": chunk_size}
        async for chunk in scan(self._client, account_id, wanted, position, **limits):
            rows = chunk.matching[: limit - len(matches)]
            heads = await asyncio.gather(*(self._head(account_id, row.id) for row in rows))
            matches += [each for each in heads if each and _still_matches(wanted, each)]
            position = chunk.last
            if len(rows) < len(chunk.matching):
                return _Part(matches, rows[-1])
            if chunk.is_end:
                return _Part(matches, None)
            if len(matches) >= limit or sum(each.size for each in matches) > PAGE_BYTES:
                break
        return _Part(matches, position)

    async def _head(self, account_id: str, execution_id: str) -> _Head | None:
        key = keyspace.execution(account_id, execution_id)
        values = await self._client.send("HMGET", key, *HEAD_FIELDS)
        if values[0] is None:
            return None  # forgotten after the page was read
        execution, result = parse_head(account_id, execution_id, values), values[RESULT_AT]
        return _Head(execution, result_size(result), result)

    async def _with_archived(
        self,
        account_id: str,
        wanted: ExecutionFilter,
        position: Position | None,
        limit: int,
        hot: _Part,
        forgotten_at: int,
    ) -> _Part:
        try:
            page = await self._archive.page(account_id, wanted, position, limit=limit)
        except Unavailable:
            return _known_without(hot, forgotten_at)
        return _merge(hot, page)

    async def _with_results(
        self, account_id: str, heads: Sequence[_Head], reserve: ReserveMemory | None
    ) -> list[Execution]:
        size = sum(each.size for each in heads)
        if reserve is not None and size > HELD_BYTES:
            try:
                await reserve(size)  # in one call, lest two pages deadlock
            except TimeoutError:
                raise Unavailable(BUSY) from None
        wanted = [each.execution.id for each in heads if each.is_archived and each.size]
        results = await self._archive.results(account_id, wanted) if wanted else {}
        return await asyncio.gather(*(self._with_result(each, results) for each in heads))

    async def _with_result(self, head: _Head, archived: Mapping[str, bytes]) -> Execution:
        result = archived.get(head.execution.id) if head.is_archived else head.result
        try:
            return await self._results.add_result(head.execution, result)
        except ResultGone:
            return head.execution  # a read of that single execution reports the error


def _still_matches(wanted: ExecutionFilter, head: _Head) -> bool:
    """Return whether the status of an execution, which may have changed, still matches."""
    return not wanted.statuses or head.execution.status in wanted.statuses


def _is_newer(row: Position | None, at: int) -> bool:
    """Return whether a page that ends with this row has only executions created after a time."""
    return row is not None and row.at > at


def _known_without(hot: _Part, forgotten_at: int) -> _Part:
    """Return the part that is complete without the history. Raises Unavailable if it is empty."""
    heads = [each for each in hot.heads if each.row.at > forgotten_at]
    if not heads:
        raise Unavailable(CANNOT_READ)
    return _Part(heads, heads[-1].row)


def _archived(found: ArchivedExecution) -> _Head:
    return _Head(found.execution, found.result_bytes, is_archived=True)


def _merge(hot: _Part, page: ArchivedPage) -> _Part:
    """Return both parts up to the row to which both are complete."""
    by_id = {each.execution.id: _archived(each) for each in page.executions}
    by_id |= {each.execution.id: each for each in hot.heads}
    ends = [row for row in (hot.last, page.last) if row is not None]
    last = max(ends, default=None)
    heads = sorted(by_id.values(), key=lambda each: each.row, reverse=True)
    return _Part([each for each in heads if last is None or each.row >= last], last)


def _count_that_fit(sizes: Sequence[int]) -> int:
    """Return the number of results that fit on the page; its first always fits."""
    room = PAGE_BYTES
    for count, size in enumerate(sizes):
        room -= size
        if room < 0 and count:
            return count
    return len(sizes)
