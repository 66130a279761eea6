"""State of the archiver, for those who ask whether the history is complete."""

from dataclasses import dataclass

from engine.store.executions.record_fields import parse_hash
from engine.store.redis import keyspace
from engine.store.redis.client import Client


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
