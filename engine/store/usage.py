"""Usage: what an account has run and what it cost, a page at a time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from engine import keyspace
from engine.executions import Execution, ExecutionStatus
from engine.store.client import Client
from engine.store.execution_records import HEAD_FIELDS, RESULT_AT, parse_head
from engine.store.scripts import SCRIPTS

CHUNK = 500
"""Executions that one script looks at: about a millisecond of Redis's time."""
FIELDS = HEAD_FIELDS[:RESULT_AT] + HEAD_FIELDS[RESULT_AT + 1 :]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageFilter:
    """Which executions are wanted; None: it does not matter."""

    status: ExecutionStatus | None = None
    workflow_slug: str | None = None
    model_id: str | None = None

    @property
    def words(self) -> tuple[str, str, str]:
        """As `match_executions` takes it."""
        return self.status or "", self.workflow_slug or "", self.model_id or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePage:
    """Executions without results and nodes, newest first, and how many there are in all."""

    rows: tuple[Execution, ...]
    total: int


class UsageLog:
    """Reads what accounts have used."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def page(
        self, account_id: str, wanted: UsageFilter, *, limit: int, offset: int
    ) -> UsagePage:
        """The rows from `offset` on, counted among those that are wanted."""
        if any(wanted.words):
            ids, total = await self._matching(account_id, wanted, limit, offset)
        else:
            ids, total = await self._any(account_id, limit, offset)
        rows = await asyncio.gather(*(self._row(account_id, each) for each in ids))
        return UsagePage(rows=tuple(row for row in rows if row is not None), total=total)

    async def _any(self, account_id: str, limit: int, offset: int) -> tuple[Sequence[str], int]:
        key = keyspace.account_executions(account_id)
        total, members = await asyncio.gather(
            self._client.send("ZCARD", key),
            self._client.send("ZRANGE", key, offset, offset + limit - 1, "REV"),
        )
        return [member.decode() for member in members], int(total)

    async def _matching(
        self, account_id: str, wanted: UsageFilter, limit: int, offset: int
    ) -> tuple[Sequence[str], int]:
        found: list[str] = []
        total = 0
        async for ids in self._chunks(account_id):
            keys = [keyspace.execution(account_id, each) for each in ids]
            positions = await self._client.call(SCRIPTS["match_executions"], keys, wanted.words)
            low, high = max(0, offset - total), max(0, offset + limit - total)
            found += [ids[position - 1] for position in positions[low:high]]
            total += len(positions)
        return found, total

    async def _chunks(self, account_id: str) -> AsyncIterator[Sequence[str]]:
        """All of the account's executions, newest first."""
        key = keyspace.account_executions(account_id)
        start = 0
        while True:
            members = await self._client.send("ZRANGE", key, start, start + CHUNK - 1, "REV")
            if members:
                yield [member.decode() for member in members]
            if len(members) < CHUNK:
                return
            start = await self._behind(key, members, start)

    async def _behind(self, key: str, members: Sequence[bytes], start: int) -> int:
        # By the last that is still there, not by counting on: newer ones may have come in before.
        for member in reversed(members):
            rank = await self._client.send("ZREVRANK", key, member)
            if rank is not None:
                return int(rank) + 1
        return start

    async def _row(self, account_id: str, execution_id: str) -> Execution | None:
        key = keyspace.execution(account_id, execution_id)
        values = await self._client.send("HMGET", key, *FIELDS)
        if values[0] is None:
            return None  # pruned since its id was read
        values.insert(RESULT_AT, None)
        return parse_head(account_id, execution_id, values)
