"""Archiving of batches that are over: write them to the history, then let Redis forget them."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

from engine.history.archiving.batches import write_batches
from engine.history.archiving.refusals import Refusals
from engine.history.database.connections import Database
from engine.store import Store
from engine.store.archive.ended_batches import EndedBatches

SIZE = 50
"""Batches that one transaction writes: each may have 1,000 items."""


class BatchArchive:
    """Moves batches to the history; every step may be repeated."""

    def __init__(self, store: Store, database: Database) -> None:
        self._store = store
        self._database = database
        self._ended = EndedBatches(store.client)
        self._refused = Refusals("batch")

    def refusals(self) -> Mapping[str, str]:
        """Return why batches cannot be archived, by name."""
        return self._refused.reasons()

    async def archive(self) -> int:
        """Write some batches that are over; return the number of those that waited.

        Raises Unavailable or HistoryUnavailable.
        """
        return await self._refused.isolate_listed(self._ended.unarchived, SIZE, self._archive)

    async def forget(self, archived_before_ms: int) -> int:
        """Let Redis forget some archived batches; return their number.

        Raises Unavailable or HistoryUnavailable.
        """
        archived = partial(self._ended.archived, archived_before_ms)
        return await self._refused.isolate_listed(archived, SIZE, self._forget)

    async def _archive(self, names: Sequence[str]) -> None:
        await self._write(names)
        await self._ended.mark_archived(names, await self._store.leases.now())

    async def _forget(self, names: Sequence[str]) -> None:
        retries = await self._ended.retries(names)
        await self._write([name for name, retry in retries.items() if retry])
        for name, retry in retries.items():
            await self._ended.forget(name, retry)

    async def _write(self, names: Sequence[str]) -> None:
        """Write batches as they are now: one may have been retried since."""
        if names:
            records = await self._ended.records(names)
            await asyncio.to_thread(write_batches, self._database, records)
