"""Archiving of deliveries, of movements of credits and of administrative acts."""

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from engine.history.archiving.deliveries import write_deliveries
from engine.history.archiving.entries import (
    audit_position,
    read_ledger_positions,
    write_audit,
    write_ledger,
)
from engine.history.archiving.refusals import Refusals
from engine.history.database.connections import Database
from engine.store import Store
from engine.store.archive.ended_deliveries import EndedDeliveries
from engine.store.archive.entries import ArchivedEntries, StreamPosition, audit_streams

DELIVERIES_BATCH = 500
ACCOUNTS_BATCH = 200
AUDIT_ROTATION = 16
"""Calls that go through all streams of the audit log."""


class EntryArchive:
    """Moves deliveries, ledgers and the audit log to the history; every step may be repeated."""

    def __init__(self, store: Store, database: Database) -> None:
        self._store = store
        self._database = database
        self._deliveries = EndedDeliveries(store.client)
        self._entries = ArchivedEntries(store.client)
        self._next_stream = 0
        self._audited: dict[int, StreamPosition] = {}
        """Last archived entry of each stream."""
        self._next_account = 0
        self._refused_deliveries = Refusals("delivery")
        self._refused_ledgers = Refusals("ledger of")
        self._refused_streams = Refusals("audit log, stream")

    def refusals(self) -> Mapping[str, str]:
        """Return why records cannot be archived, by name."""
        parts = self._refused_deliveries, self._refused_ledgers, self._refused_streams
        return {name: reason for part in parts for name, reason in part.reasons().items()}

    async def archive_deliveries(self) -> int:
        """Write one batch of ended deliveries; return the number of those that waited."""
        return await self._refused_deliveries.isolate_listed(
            self._deliveries.unarchived, DELIVERIES_BATCH, self._archive_deliveries
        )

    async def _archive_deliveries(self, names: Sequence[str]) -> None:
        records = await self._deliveries.records(names)
        await asyncio.to_thread(write_deliveries, self._database, records)
        await self._deliveries.mark_archived(names, await self._store.leases.now())

    async def forget_deliveries(self, archived_before_ms: int) -> int:
        """Let Redis forget one batch of archived deliveries; return its size."""
        archived = partial(self._deliveries.archived, archived_before_ms)
        return await self._refused_deliveries.isolate_listed(
            archived, DELIVERIES_BATCH, self._forget_deliveries
        )

    async def _forget_deliveries(self, names: Sequence[str]) -> None:
        for name in names:
            await self._deliveries.forget(name)

    async def archive_ledgers(self, account_ids: Iterable[str]) -> int:
        """Write the new entries of accounts' ledgers; return their number.

        A ledger with an entry that cannot be archived stays in Redis from there on.
        """
        ids = self._refused_ledgers.accepted(dict.fromkeys(account_ids))
        positions = await asyncio.to_thread(read_ledger_positions, self._database, ids)

        async def archive(some: Sequence[str]) -> int:
            return sum([await self._archive_ledger(each, positions.get(each)) for each in some])

        return sum([sum(await self._refused_ledgers.isolate([each], archive)) for each in ids])

    async def _archive_ledger(self, account_id: str, position: StreamPosition | None) -> int:
        count, is_all = 0, False
        while not is_all:
            part = await self._entries.ledger(account_id, position)
            is_all = part.is_all
            if not part.entries and (position or not part.carried):
                break
            position = await asyncio.to_thread(write_ledger, self._database, account_id, part)
            count += len(part.entries)
            if position is not None:
                await self._entries.mark_ledger(account_id, position)
        return count

    async def archive_next_ledgers(self) -> int:
        """Write the new ledger entries of the next accounts; return the number of accounts.

        The number is 0 after the last accounts.
        """
        ids = await self._entries.accounts(self._next_account, ACCOUNTS_BATCH)
        await self.archive_ledgers(ids)
        self._next_account = self._next_account + len(ids) if ids else 0
        return len(ids)

    async def archive_audit(self) -> int:
        """Write the new acts of the next streams of the audit log; return their number."""
        streams = audit_streams()
        size = math.ceil(len(streams) / AUDIT_ROTATION)
        start = self._next_stream % len(streams)
        self._next_stream = start + size
        some = [streams[each % len(streams)] for each in range(start, start + size)]
        lasts = await asyncio.gather(*map(self._entries.last_audit, some))
        new = [
            str(stream)
            for stream, last in zip(some, lasts, strict=True)
            if last is not None and self._audited.get(stream) != last
        ]
        counts = [
            await self._refused_streams.isolate([name], self._archive_stream)
            for name in self._refused_streams.accepted(new)
        ]
        return sum(map(sum, counts))

    async def _archive_stream(self, names: Sequence[str]) -> int:
        stream, count, is_all = int(names[0]), 0, False
        position = await asyncio.to_thread(audit_position, self._database, stream)
        while not is_all:
            part = await self._entries.audit(stream, position)
            position = await asyncio.to_thread(write_audit, self._database, stream, part)
            count, is_all = count + len(part.entries), part.is_all
        if position is not None:
            self._audited[stream] = position
        return count
