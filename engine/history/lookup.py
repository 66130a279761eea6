"""Lookup of executions in the history."""

import asyncio
from collections.abc import Iterable

from engine.history.database import Database
from engine.history.writer import find_known
from engine.store.archive.lookup import ArchiveLookup, ExecutionIds, NoArchive


class ArchivedExecutions:
    """Looks executions up; calls raise HistoryUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def known(self, ids: Iterable[ExecutionIds]) -> set[ExecutionIds]:
        """Return those executions that the history has."""
        wanted = list(ids)
        return await asyncio.to_thread(self._find, wanted) if wanted else set()

    def _find(self, ids: list[ExecutionIds]) -> set[ExecutionIds]:
        with self._database.read() as connection:
            return find_known(connection, ids)


def open_lookup(database_url: str) -> ArchiveLookup:
    """Return the lookup of the database at a URL; of none without one. Raises SettingError."""
    return ArchivedExecutions(Database(database_url)) if database_url else NoArchive()
