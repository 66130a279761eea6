"""Scan of an account's executions, newest first, with filters and a bound on the work."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from engine.executions.filter import ExecutionFilter, Position
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.record_packing import unpack
from engine.store.redis.scripts import SCRIPTS

CHUNK = 500
"""Executions that one script examines: about a millisecond of Redis's time."""


@dataclass(frozen=True, slots=True)
class ScanPage:
    """Part of the scan: its matching rows, and its last row (None when empty)."""

    matching: Sequence[Position]
    last: Position | None
    is_end: bool
    """Whether no row follows."""


async def read_rows(
    client: Client, account_id: str, position: Position | None, count: int
) -> Sequence[Position]:
    """Return at most `count` rows after a position, from the newest where it is None."""
    key = keyspace.account_executions(account_id)
    return await read_members(client, key, position, count)


async def read_members(
    client: Client, key: str, position: Position | None, count: int
) -> Sequence[Position]:
    """Return members of a sorted set of ids by creation time, like `read_rows`."""
    at, name = position or (None, None)
    reply = await client.call(SCRIPTS["list_executions"], listed=key, at=at, id=name, most=count)
    ids, times = reply[::2], reply[1::2]
    return [Position(int(at), each.decode()) for each, at in zip(ids, times, strict=True)]


async def scan(
    client: Client,
    account_id: str,
    wanted: ExecutionFilter,
    position: Position | None,
    *,
    at_most: int,
    chunk: int = CHUNK,
) -> AsyncIterator[ScanPage]:
    """Yield pages after a position, until the end or until `at_most` rows are examined."""
    examined, position = 0, wanted.begin_after(position)
    while examined < at_most:
        rows = await read_rows(client, account_id, position, min(chunk, at_most - examined))
        is_end = len(rows) < min(chunk, at_most - examined)
        position = rows[-1] if rows else position
        is_end = is_end or (position is not None and wanted.is_over_at(position))
        yield ScanPage(await find_matching(client, account_id, wanted, rows), position, is_end)
        if is_end:
            return
        examined += len(rows)


async def find_matching(
    client: Client, account_id: str, wanted: ExecutionFilter, rows: Sequence[Position]
) -> Sequence[Position]:
    """Return the rows of executions that match, in the same order."""
    rows = [row for row in rows if wanted.fits_row(row)]
    if not wanted.needs_record or not rows:
        return rows
    keys = [keyspace.execution(account_id, execution_id) for _, execution_id in rows]
    positions = await client.call(
        SCRIPTS["match_executions"], executions=keys, conditions=wanted.arguments
    )
    rows = [rows[position - 1] for position in positions]
    if wanted.error_code is None:
        return rows
    return await _with_error(client, account_id, wanted.error_code, rows)


async def _with_error(
    client: Client, account_id: str, code: str, rows: Sequence[Position]
) -> Sequence[Position]:
    keys = (keyspace.execution(account_id, execution_id) for _, execution_id in rows)
    errors = await asyncio.gather(*(client.send("HGET", key, "error") for key in keys))
    codes = (unpack(error).get("code") if error else None for error in errors)
    return [row for row, each in zip(rows, codes, strict=True) if each == code]
