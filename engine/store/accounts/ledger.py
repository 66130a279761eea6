"""Ledger of an account by pages, newest first: hot entries, then archived ones.

Redis removes the oldest entries first, once they are archived. So it has all after its oldest one.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from engine.errors import Unavailable
from engine.store.accounts.wallets import (
    CHECKS,
    PAUSE_SECONDS,
    TOO_FAST,
    LedgerEntry,
    differences,
    parse_entry,
    read_state,
)
from engine.store.archive.archive import EVERY_MOVEMENT, Archive, LedgerFilter, StreamId
from engine.store.redis import keyspace
from engine.store.redis.client import Client

CHUNK = 1_000
EXAMINED_AT_MOST = 20_000
"""Hot entries examined per request; a page with conditions ends early then."""

Entries = Sequence[tuple[StreamId, LedgerEntry]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRows:
    """Entries, newest first, and the place of the last examined one where others may follow."""

    entries: Entries
    last: StreamId | None


class Ledgers:
    """Reads ledgers; `Wallets` moves and checks credits."""

    def __init__(self, client: Client, archive: Archive) -> None:
        self._client = client
        self._archive = archive

    async def page(
        self,
        account_id: str,
        wanted: LedgerFilter = EVERY_MOVEMENT,
        *,
        before: StreamId | None = None,
        limit: int,
    ) -> LedgerRows:
        """Return at most `limit` matching entries before one.

        A page is short where the history is silent. Raises Unavailable.
        """
        before = wanted.begin_before(before)
        archived = await self._archived(account_id) if wanted.needs_entry else None
        hot = await self._hot(account_id, wanted, before, archived, limit)
        if hot.last is not None:
            return hot
        end = hot.entries[-1][0] if hot.entries else before
        if archived is not None:
            after_archived = archived[0], archived[1] + 1
            end = after_archived if end is None else min(end, after_archived)
        count = limit - len(hot.entries)
        try:
            rest = await self._archive.ledger(account_id, wanted, end, count)
        except Unavailable:
            if archived is not None:
                hot = await self._hot(account_id, wanted, before, None, limit)
            if not hot.entries:
                raise
            return LedgerRows(entries=hot.entries, last=hot.entries[-1][0])
        entries = [*hot.entries, *rest]
        return LedgerRows(entries=entries, last=entries[-1][0] if len(rest) == count else None)

    async def check(self, account_id: str) -> list[str]:
        """Return the discrepancies between the wallet and the ledger over Redis and the history.

        An account without archived entries has none. Raises Unavailable.
        """
        for _ in range(CHECKS):
            archived = await self._archive.ledger_sums(account_id)
            if archived is None:
                return []
            before = await read_state(self._client, account_id)
            sums = Counter(archived.sums)
            async for entry in self._entries_after(account_id, archived.last):
                sums[entry.bucket] += entry.credits
                sums[""] += entry.reserved
            if await read_state(self._client, account_id) == before:
                problems = differences(before, sums, before.get("reserved", 0))
                return [f"with the history, {each}" for each in problems]
            await asyncio.sleep(PAUSE_SECONDS)
        return [TOO_FAST]

    async def _entries_after(self, account_id: str, after: StreamId) -> AsyncIterator[LedgerEntry]:
        key, start = keyspace.ledger(account_id), f"({after[0]}-{after[1]}"
        while True:
            page = await self._client.send("XRANGE", key, start, "+", "COUNT", CHUNK)
            for name, parts in page:
                yield parse_entry(name, parts)
            if len(page) < CHUNK:
                return
            start = "(" + page[-1][0].decode()

    async def _archived(self, account_id: str) -> StreamId | None:
        """Return the place of the last entry that is known to be archived."""
        entry_id = await self._client.send("HGET", keyspace.wallet(account_id), "archived")
        return None if entry_id is None else _place(entry_id)

    async def _hot(
        self,
        account_id: str,
        wanted: LedgerFilter,
        before: StreamId | None,
        after: StreamId | None,
        limit: int,
    ) -> LedgerRows:
        """Return the matches that Redis has between two; `last` is None when it has no more."""
        matches: list[tuple[StreamId, LedgerEntry]] = []
        examined = 0
        while examined < EXAMINED_AT_MOST:
            count = CHUNK if wanted.needs_entry else limit
            entries = await self._read(account_id, wanted.since, before, after, count)
            for each in entries:
                if wanted.matches(each[1]):
                    matches.append(each)
                if len(matches) == limit:
                    return LedgerRows(entries=matches, last=each[0])
            if len(entries) < count:
                return LedgerRows(entries=matches, last=None)
            before = entries[-1][0]
            examined += len(entries)
        return LedgerRows(entries=matches, last=before)

    async def _read(
        self,
        account_id: str,
        since: int | None,
        before: StreamId | None,
        after: StreamId | None,
        count: int,
    ) -> Entries:
        if before is not None and before <= (0, 0):
            return []  # no entry is before the first place of a stream
        end = "+" if before is None else f"({before[0]}-{before[1]}"
        start = "-" if after is None else f"({after[0]}-{after[1]}"
        if since is not None and (after is None or after[0] < since):
            start = f"{max(since, 0)}-0"
        reply = await self._client.send(
            "XREVRANGE", keyspace.ledger(account_id), end, start, "COUNT", count
        )
        return [(_place(name), parse_entry(name, parts)) for name, parts in reply or ()]


def _place(name: bytes) -> StreamId:
    at, _, number = name.partition(b"-")
    return int(at), int(number)
