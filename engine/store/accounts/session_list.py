"""Sessions of an account, as its owner sees them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from engine.errors import InvalidCursor, NotFound
from engine.ids import partitions
from engine.ids.partitions import partition_of
from engine.store.accounts.principals import Session
from engine.store.accounts.sessions import Sessions
from engine.store.executions.record_fields import parse_hash
from engine.store.redis import keyspace
from engine.store.redis.client import Client

MAX_LISTED = 1_000
"""Most sessions of an account in its list; sessions that end last come first."""
NO_SESSION = "There is no such session"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """Session of a browser. Times are in milliseconds; user agent and address of the sign-in."""

    id: str
    account_id: str
    digest: str
    created_at: int
    last_used_at: int
    user_agent: str | None
    address: str | None

    @classmethod
    def parse(cls, session_id: str, record: Mapping[str, bytes]) -> Self:
        """Return the session of a record."""
        return cls(
            id=session_id,
            account_id=record["account"].decode(),
            digest=record["digest"].decode(),
            created_at=int(record["created"]),
            last_used_at=int(record["used"]),
            user_agent=record.get("agent", b"").decode() or None,
            address=record.get("address", b"").decode() or None,
        )


class SessionList:
    """Lists sessions by account, and ends them by their ids."""

    def __init__(self, client: Client, sessions: Sessions) -> None:
        self._client = client
        self._sessions = sessions

    async def page(
        self, account_id: str, *, limit: int, after: str | None = None
    ) -> tuple[list[SessionRecord], str | None]:
        """Return the account's sessions, newest first, and the cursor of the next page.

        Raises InvalidCursor when `after` is no session of the account.
        """
        sessions = await self.all(account_id)
        start = 0
        if after is not None:
            ids = [each.id for each in sessions]
            if after not in ids:
                raise InvalidCursor
            start = ids.index(after) + 1
        rows = sessions[start : start + limit]
        return rows, rows[-1].id if len(sessions) > start + limit else None

    async def all(self, account_id: str) -> list[SessionRecord]:
        """Return the account's sessions, newest first."""
        key = keyspace.account_sessions(account_id)
        members = await self._client.send("ZRANGE", key, 0, MAX_LISTED - 1, "REV")
        ids = [member.decode() for member in members]
        partition = partition_of(account_id)
        records = await asyncio.gather(*(self._record(partition, each) for each in ids))
        sessions = [
            SessionRecord.parse(each, record)
            for each, record in zip(ids, records, strict=True)
            if record
        ]
        return sorted(sessions, key=lambda each: (each.created_at, each.id), reverse=True)

    async def find(self, session_id: str) -> SessionRecord:
        """Return a session of any account. Raises NotFound."""
        records = await asyncio.gather(
            *(self._record(partition, session_id) for partition in partitions.every())
        )
        for record in records:
            if record:
                return SessionRecord.parse(session_id, record)
        raise NotFound(NO_SESSION)

    async def end(self, session_id: str, account_id: str, *, by: str | None = None) -> None:
        """End a session of the account like `Sessions.end`. Raises NotFound."""
        record = await self._record(partition_of(account_id), session_id)
        if not record or record["account"].decode() != account_id:
            raise NotFound(NO_SESSION)
        session = Session(digest=record["digest"].decode(), account_id=account_id)
        await self._sessions.end(session, by=by)

    async def _record(self, partition: int, session_id: str) -> dict[str, bytes]:
        key = keyspace.session_record(partition, session_id)
        return parse_hash(await self._client.send("HGETALL", key))
