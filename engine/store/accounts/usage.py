"""Usage of an account: its executions and their cost, by pages, hot and archived ones."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.errors import InvalidCursor, Unavailable
from engine.executions.execution import Execution
from engine.executions.filter import ExecutionFilter, Position
from engine.store.archive.archive import Archive
from engine.store.executions.read.records import read_newest_forgotten
from engine.store.executions.read.scan import scan
from engine.store.executions.record_fields import (
    HEAD_FIELDS,
    RESULT_AT,
    make_cursor,
    parse_cursor,
    parse_head,
)
from engine.store.redis import keyspace
from engine.store.redis.client import Client

COUNTED_AT_MOST = 10_000
"""Number of matches up to which a total is exact."""
EXAMINED_AT_MOST = 50_000
"""Executions examined per request: about a tenth of a second of Redis's time in all."""
FIRST_ID = "00000000-0000-0000-0000-000000000000"
"""Id before all others of its creation time."""
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


@dataclass(frozen=True, slots=True)
class _Hot:
    """Matches that Redis has, newest first; `position` is the last examined row."""

    rows: Sequence[Position]
    position: Position | None
    is_end: bool


@dataclass(frozen=True, slots=True)
class _Window:
    """Matches from `low` to `high` after a position, and the number of all matches after it."""

    rows: Sequence[tuple[Position, Execution | None]]
    """Rows, with their execution where the history has given it."""
    total: int
    is_exact: bool
    position: Position | None
    """Position from which on a next page may go on where this window is short."""


class UsageLog:
    """Reads the usage of accounts."""

    def __init__(self, client: Client, archive: Archive) -> None:
        self._client = client
        self._archive = archive

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

        Raises InvalidCursor and Unavailable.
        """
        position, before = (None, 0) if cursor is None else _parse_cursor(cursor)
        forgotten_at = await read_newest_forgotten(self._client, account_id)
        if wanted.is_open and cursor is None and forgotten_at is None:
            return await self._open_page(account_id, limit, offset)
        window = await self._window(account_id, wanted, position, offset, offset + limit)
        total, low = before + window.total, before + offset
        is_full = len(window.rows) == limit
        behind = window.rows[-1][0] if is_full else window.position
        has_next = not window.is_exact and behind is not None
        counted = low + limit if is_full else total
        return UsagePage(
            rows=await self._rows(account_id, window.rows),
            offset=low,
            total=total,
            is_exact=window.is_exact,
            next_cursor=_make_cursor(behind, counted) if has_next and behind else None,
        )

    async def _open_page(self, account_id: str, limit: int, offset: int) -> UsagePage:
        key = keyspace.account_executions(account_id)
        total, members = await asyncio.gather(
            self._client.send("ZCARD", key),
            self._client.send("ZRANGE", key, offset, offset + limit - 1, "REV"),
        )
        return UsagePage(
            rows=await self._rows(
                account_id, [(Position(0, each.decode()), None) for each in members]
            ),
            offset=offset,
            total=int(total),
            is_exact=True,
            next_cursor=None,
        )

    async def _window(
        self,
        account_id: str,
        wanted: ExecutionFilter,
        position: Position | None,
        low: int,
        high: int,
    ) -> _Window:
        hot = await self._hot(account_id, wanted, position, high)
        forgotten_at = await read_newest_forgotten(self._client, account_id)
        if forgotten_at is None:
            return _of_hot(hot.rows, low, high, hot.position, is_exact=hot.is_end)
        newer = [row for row in hot.rows if row.at > forgotten_at]
        if not hot.is_end:
            is_newer = hot.position is not None and hot.position.at > forgotten_at
            position = hot.position if is_newer else Position(forgotten_at + 1, FIRST_ID)
            return _of_hot(newer, low, high, position)
        end = forgotten_at + 1
        if wanted.created_to is not None:
            end = min(end, wanted.created_to)
        part = _Archived(self._archive, account_id, replace(wanted, created_to=end), position)
        older, rest_low = hot.rows[len(newer) :], max(0, low - len(newer))
        try:
            rest = await part.window(older, rest_low, high - len(newer))
        except Unavailable:
            if len(newer) <= low:
                raise
            return _of_hot(newer, low, high, Position(forgotten_at + 1, FIRST_ID))
        return _Window(
            rows=[*((row, None) for row in newer[low:high]), *rest.rows],
            total=len(newer) + rest.total,
            is_exact=rest.is_exact,
            position=rest.position,
        )

    async def _hot(
        self, account_id: str, wanted: ExecutionFilter, position: Position | None, high: int
    ) -> _Hot:
        rows: list[Position] = []
        is_end = False
        async for chunk in scan(
            self._client, account_id, wanted, position, at_most=EXAMINED_AT_MOST
        ):
            rows += chunk.matching
            position, is_end = chunk.last, chunk.is_end
            if len(rows) > COUNTED_AT_MOST and len(rows) >= high:
                break
        return _Hot(rows, position, is_end)

    async def _rows(
        self, account_id: str, rows: Sequence[tuple[Position, Execution | None]]
    ) -> tuple[Execution, ...]:
        parsed = await asyncio.gather(*(self._row(account_id, *each) for each in rows))
        return tuple(row for row in parsed if row is not None)

    async def _row(
        self, account_id: str, row: Position, archived: Execution | None
    ) -> Execution | None:
        if archived is not None:
            return archived
        key = keyspace.execution(account_id, row.id)
        values = await self._client.send("HMGET", key, *FIELDS)
        if values[0] is None:
            return None  # forgotten after its id was read
        values.insert(RESULT_AT, None)
        return parse_head(account_id, row.id, values)


@dataclass(frozen=True, slots=True)
class _Archived:
    """Matches that the history has, with hot ones between them that it may lack."""

    archive: Archive
    account_id: str
    wanted: ExecutionFilter
    position: Position | None

    async def window(self, hot: Sequence[Position], low: int, high: int) -> _Window:
        """Return the matches from `low` to `high`, none where `high` is below 1."""
        known = await self.archive.known((self.account_id, name) for _, name in hot)
        lacking = [row for row in hot if (self.account_id, row.id) not in known]
        counting = self.archive.count(
            self.account_id, self.wanted, self.position, at_most=COUNTED_AT_MOST + 1
        )
        if high < 1:
            counted = await counting
            return _Window([], counted.count + len(lacking), counted.is_all, None)
        # Hot rows stand before an archived one by at most their number.
        start = max(0, low - len(lacking))
        counted, page = await asyncio.gather(
            counting,
            self.archive.page(
                self.account_id, self.wanted, self.position, limit=high - start, offset=start
            ),
        )
        rows: list[tuple[Position, Execution | None]] = [
            (each.row, each.execution) for each in page.executions
        ]
        first = rows[0][0] if start and rows else None
        before = sum(1 for row in lacking if first is not None and row > first)
        rows += [(row, None) for row in lacking[before:]]
        rows.sort(key=lambda each: each[0], reverse=True)
        skipped = low - start - before
        return _Window(
            rows=rows[skipped : skipped + high - low],
            total=counted.count + len(lacking),
            is_exact=counted.is_all,
            position=page.last,
        )


def _of_hot(
    rows: Sequence[Position],
    low: int,
    high: int,
    position: Position | None,
    *,
    is_exact: bool = False,
) -> _Window:
    """Return the window of matches that are all in Redis."""
    return _Window([(row, None) for row in rows[low:high]], len(rows), is_exact, position)


def _make_cursor(position: Position, before: int) -> str:
    return f"{before}.{make_cursor(*position)}"


def _parse_cursor(cursor: str) -> tuple[Position, int]:
    before, _, position = cursor.partition(".")
    if not before.isascii() or not before.isdigit() or len(before) > 15:
        raise InvalidCursor
    return parse_cursor(position), int(before)
