"""Archiving of occurrences: write them to the history, then let Redis forget them."""

import asyncio
from collections.abc import Mapping, Sequence

from engine.history.archiving.occurrences import write_occurrences
from engine.history.archiving.refusals import Refusals
from engine.history.database.connections import Database
from engine.store import Store
from engine.store.archive.occurrence_outbox import OccurrenceOutbox

SIZE = 1_000
"""Occurrences that one transaction writes."""


class OccurrenceArchive:
    """Moves occurrences to the history; every step may be repeated."""

    def __init__(self, store: Store, database: Database) -> None:
        self._store = store
        self._database = database
        self._outbox = OccurrenceOutbox(store.client)
        self._refused = Refusals("occurrence")

    def refusals(self) -> Mapping[str, str]:
        """Return why occurrences cannot be archived, by name."""
        return self._refused.reasons()

    async def archive(self) -> int:
        """Write some occurrences; return the number of those that waited.

        Raises Unavailable or HistoryUnavailable.
        """
        return await self._refused.isolate_listed(self._outbox.unarchived, SIZE, self._archive)

    async def forget(self, archived_before_ms: int) -> int:
        """Let Redis forget some archived occurrences; return their number.

        Raises Unavailable or HistoryUnavailable.
        """
        names = await self._outbox.archived(archived_before_ms, SIZE)
        await self._outbox.forget(names)
        return len(names)

    async def _archive(self, names: Sequence[str]) -> None:
        records = await self._outbox.records(names)
        await asyncio.to_thread(write_occurrences, self._database, records)
        await self._outbox.mark_archived(names, await self._store.leases.now())
