"""State of the archiver, for those who ask whether the history is complete."""

import asyncio
from dataclasses import dataclass

from engine.store.archive.ended_deliveries import EndedDeliveries
from engine.store.archive.ended_executions import EndedExecutions, HistoryBacklog
from engine.store.executions.record_fields import parse_hash
from engine.store.redis import keyspace
from engine.store.redis.client import Client

SILENT_MS = 30_000
"""Time without a sign of life after which the archiver counts as gone."""
BEHIND_MS = 300_000
"""Age of the oldest end that waits from which on the history counts as behind."""
SILENT = "no archiver runs: is a worker running with HEADRACE_DATABASE_URL?"
NO_DATABASE = "there is a history, and this process has no HEADRACE_DATABASE_URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiverState:
    """State as the leading archiver wrote it last. Times are in milliseconds."""

    database_id: str = ""
    """Id of the database that has this installation's history; empty before the first write."""
    seen_at: int = 0
    """Time of the last sign of life; 0: there never was one."""
    error: str = ""
    """Reason for which nothing can be archived; empty: there is none."""
    refused: int = 0
    """Executions that cannot be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryHealth:
    """State of the archiver and what waits for it, at a time in milliseconds."""

    state: ArchiverState
    executions: HistoryBacklog
    deliveries: HistoryBacklog
    now: int

    def problem(self, *, has_database: bool) -> str:
        """Return why the history is incomplete; empty when it is not.

        `has_database` says whether the asking process has the address of a database.
        """
        if not has_database:
            return NO_DATABASE if self.state.database_id else ""
        if self.state.error:
            return self.state.error
        if self.executions.count + self.deliveries.count == 0:
            return ""
        oldest = min(each.oldest_at or self.now for each in (self.executions, self.deliveries))
        # An archiver that has yet to start is not silent before something has waited for it.
        if self.now - max(self.state.seen_at, oldest) > SILENT_MS:
            return SILENT
        behind = self.now - oldest
        return f"it is {behind // 60_000} minutes behind" if behind > BEHIND_MS else ""


class ArchiverStates:
    """Reads and writes the state."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def read(self) -> ArchiverState:
        """Return the state."""
        found = parse_hash(await self._client.send("HGETALL", keyspace.history()))
        return ArchiverState(
            database_id=found.get("database", b"").decode(),
            seen_at=int(found.get("seen", 0)),
            error=found.get("error", b"").decode(),
            refused=int(found.get("refused", 0)),
        )

    async def health(self) -> HistoryHealth:
        """Return the state together with what waits."""
        state, executions, deliveries, time = await asyncio.gather(
            self.read(),
            EndedExecutions(self._client).backlog(),
            EndedDeliveries(self._client).backlog(),
            self._client.send("TIME"),
        )
        now = int(time[0]) * 1000 + int(time[1]) // 1000
        return HistoryHealth(state=state, executions=executions, deliveries=deliveries, now=now)

    async def write(self, *, seen_at: int, error: str, refused: int) -> None:
        """Write a sign of life."""
        await self._client.send(
            *("HSET", keyspace.history(), "seen", seen_at, "error", error, "refused", refused)
        )

    async def claim_database(self, database_id: str) -> str:
        """Return the id of the database that has the history: this one if there was none."""
        key = keyspace.history()
        await self._client.send("HSETNX", key, "database", database_id)
        return bytes(await self._client.send("HGET", key, "database")).decode()
