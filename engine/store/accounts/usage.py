"""Usage of an account: its executions and their cost, by pages."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from engine.executions.execution import Execution
from engine.store.executions.record_fields import (
    HEAD_FIELDS,
    RESULT_AT,
    make_cursor,
    parse_cursor,
    parse_head,
)
from engine.store.executions.scan import ExecutionFilter, Row, scan
from engine.store.redis import keyspace
from engine.store.redis.client import Client

COUNTED_AT_MOST = 10_000
"""Number of matches up to which a total is exact."""
EXAMINED_AT_MOST = 50_000
"""Executions examined per request: about a tenth of a second of Redis's time in all."""
FIELDS = HEAD_FIELDS[:RESULT_AT] + HEAD_FIELDS[RESULT_AT + 1 :]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePage:
    """Executions without results and nodes, newest first."""

    rows: tuple[Execution, ...]
    offset: int
    """Matches before the first row."""
    total: int
    """Number of all matches, or of the counted ones where it is not exact."""
    is_exact: bool
    next_cursor: str | None
    """Cursor after the last row where the total is not exact; None otherwise."""


class UsageLog:
    """Reads the usage of accounts."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def page(
        self,
        account_id: str,
        wanted: ExecutionFilter,
        *,
        limit: int,
        offset: int,
        cursor: str | None = None,
    ) -> UsagePage:
        """Return a page of matches after `offset` of them, or after the cursor.

        Raises ValueError for an invalid cursor.
        """
        if wanted.is_open and cursor is None:
            return await self._open_page(account_id, limit, offset)
        position, before = (None, 0) if cursor is None else _parse_cursor(cursor)
        return await self._matching_page(account_id, wanted, limit, offset, position, before)

    async def _open_page(self, account_id: str, limit: int, offset: int) -> UsagePage:
        key = keyspace.account_executions(account_id)
        total, members = await asyncio.gather(
            self._client.send("ZCARD", key),
            self._client.send("ZRANGE", key, offset, offset + limit - 1, "REV"),
        )
        return UsagePage(
            rows=await self._rows(account_id, [member.decode() for member in members]),
            offset=offset,
            total=int(total),
            is_exact=True,
            next_cursor=None,
        )

    async def _matching_page(
        self,
        account_id: str,
        wanted: ExecutionFilter,
        limit: int,
        offset: int,
        position: Row | None,
        before: int,
    ) -> UsagePage:
        found: list[Row] = []
        total, is_end = before, False
        low, high = before + offset, before + offset + limit
        async for chunk in scan(
            self._client, account_id, wanted, position, at_most=EXAMINED_AT_MOST
        ):
            found += chunk.matching[max(0, low - total) : max(0, high - total)]
            total += len(chunk.matching)
            position, is_end = chunk.last, chunk.is_end
            if total - before > COUNTED_AT_MOST and total >= high:
                break
        behind = found[-1] if len(found) == limit else position
        counted = low + limit if len(found) == limit else total
        return UsagePage(
            rows=await self._rows(account_id, [execution_id for _, execution_id in found]),
            offset=low,
            total=total,
            is_exact=is_end,
            next_cursor=None if is_end or behind is None else _make_cursor(behind, counted),
        )

    async def _rows(self, account_id: str, ids: Sequence[str]) -> tuple[Execution, ...]:
        rows = await asyncio.gather(*(self._row(account_id, each) for each in ids))
        return tuple(row for row in rows if row is not None)

    async def _row(self, account_id: str, execution_id: str) -> Execution | None:
        key = keyspace.execution(account_id, execution_id)
        values = await self._client.send("HMGET", key, *FIELDS)
        if values[0] is None:
            return None  # pruned after its id was read
        values.insert(RESULT_AT, None)
        return parse_head(account_id, execution_id, values)


def _make_cursor(position: Row, before: int) -> str:
    return f"{before}.{make_cursor(*position)}"


def _parse_cursor(cursor: str) -> tuple[Row, int]:
    before, _, position = cursor.partition(".")
    if not before.isascii() or not before.isdigit() or len(before) > 15:
        raise ValueError("not a cursor of this list")
    return parse_cursor(position), int(before)
