"""Archive for the store: reads of the database in threads, bounded in number and time."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection

from engine.history import entries, entry_reads, execution_queries, execution_reads, series
from engine.history.database import POOL_SIZE, Database, HistoryUnavailable
from engine.history.writer import find_known
from engine.settings import Settings
from engine.store.accounts.wallets import LedgerEntry
from engine.store.archive.archive import (
    Archive,
    ArchivedCount,
    ArchivedDelivery,
    ArchivedFigures,
    ArchivedLedger,
    ArchivedPage,
    ExecutionIds,
    LedgerFilter,
    NoArchive,
    SeriesQuery,
    StreamId,
)
from engine.store.archive.ended_executions import EndedRecord
from engine.store.executions.filters import ExecutionFilter, Row

READ_SECONDS = 8.0
"""Longest time for one read, with its wait for a thread."""
MOST_WAITING = 64
"""Reads that wait for a thread; further ones are refused at once."""
AWAY_SECONDS = 1.0
"""Time after a failure in which reads are refused at once, but for one that tries again."""
CLOSE_SECONDS = 2.0

T = TypeVar("T")


def open_archive(settings: Settings) -> Archive:
    """Open the archive of the settings; without a database it has nothing. Raises SettingError."""
    return HistoryArchive(Database(settings.database_url)) if settings.database_url else NoArchive()


class HistoryArchive:
    """Reads one database; each read sees one snapshot. Raises HistoryUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._threads = ThreadPoolExecutor(POOL_SIZE, thread_name_prefix="history")
        self._places = threading.BoundedSemaphore(POOL_SIZE + MOST_WAITING)
        self._retry_at: float | None = None
        """Time of the next try while the database is away; None: it answers."""

    async def record(self, account_id: str, execution_id: str) -> EndedRecord | None:
        """Return the record of an execution, None for an unknown one."""
        return await self.read(execution_reads.read_record, account_id, execution_id)

    async def page(
        self,
        account_id: str,
        wanted: ExecutionFilter,
        after: Row | None,
        *,
        limit: int,
        offset: int = 0,
    ) -> ArchivedPage:
        """Return matches after a row and after `offset` further matches."""
        return await self.read(
            lambda connection: execution_reads.read_page(
                connection, account_id, wanted, after, limit=limit, offset=offset
            )
        )

    async def results(self, account_id: str, execution_ids: Collection[str]) -> Mapping[str, bytes]:
        """Return the recorded results of executions that have one, by id."""
        return await self.read(execution_reads.read_results, account_id, execution_ids)

    async def count(
        self, account_id: str, wanted: ExecutionFilter, after: Row | None, *, at_most: int
    ) -> ArchivedCount:
        """Return the number of matches after a row, at most so many."""
        return await self.read(
            lambda connection: execution_queries.count_rows(
                connection, account_id, wanted, after, at_most=at_most
            )
        )

    async def known(self, ids: Iterable[ExecutionIds]) -> set[ExecutionIds]:
        """Return those executions that the history has."""
        wanted = list(ids)
        return await self.read(find_known, wanted) if wanted else set()

    async def figures(
        self, account_id: str, wanted: SeriesQuery, created: Mapping[str, int]
    ) -> ArchivedFigures:
        """Return figures, and which of some executions the history has at that moment."""

        def read(connection: Connection) -> ArchivedFigures:
            found = find_known(connection, [(account_id, name) for name in created])
            known = {name for _, name in found}
            changed = {wanted.bucket_of(at) for name, at in created.items() if name not in known}
            whole, by_key = series.read_figures(connection, account_id, wanted, changed)
            return ArchivedFigures(whole=whole, by_key=by_key, known=known)

        return await self.read(read)

    async def ledger(
        self, account_id: str, wanted: LedgerFilter, before: StreamId | None, limit: int
    ) -> Sequence[tuple[StreamId, LedgerEntry]]:
        """Return the matching entries before one of a ledger, newest first."""
        query = account_id, wanted, before, limit
        return await self.read(entry_reads.read_ledger, *query)

    async def ledger_sums(self, account_id: str) -> ArchivedLedger | None:
        """Return the sums of a ledger's archived entries, None when it has none."""

        def read(connection: Connection) -> ArchivedLedger | None:
            last = entries.ledger_position(connection, account_id)
            if last is None:
                return None
            sums = entries.ledger_sums(connection, account_id)
            return ArchivedLedger(last=(last.at, last.number), sums=sums)

        return await self.read(read)

    async def deliveries(
        self, account_id: str, key_id: str, status: str | None, after: Row | None, limit: int
    ) -> Sequence[ArchivedDelivery]:
        """Return ended deliveries of a webhook after a row, newest first."""
        query = account_id, key_id, status, after, limit
        return await self.read(entry_reads.read_deliveries, *query)

    async def deliveries_since(
        self, account_id: str, key_id: str, status: str | None, since: int, limit: int
    ) -> Sequence[Row]:
        """Return the rows of a webhook's deliveries created since a time, oldest first."""
        query = account_id, key_id, status, since, limit
        return await self.read(entry_reads.read_deliveries_since, *query)

    async def delivery(self, account_id: str, delivery_id: str) -> ArchivedDelivery | None:
        """Return an ended delivery, None for an unknown one."""
        return await self.read(entry_reads.read_delivery, account_id, delivery_id)

    async def close(self) -> None:
        """Close all connections, after a short wait for reads that go on."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.to_thread(self._threads.shutdown)
        self._database.close()

    async def read(self, query: Callable[..., T], *arguments: object) -> T:
        """Return the outcome of a query, called with a connection and the arguments."""
        if self._is_away():
            raise HistoryUnavailable("it did not answer a moment ago")
        if not self._places.acquire(blocking=False):
            raise HistoryUnavailable("too many reads wait for it")

        def work() -> T:
            with self._database.read() as connection:
                return query(connection, *arguments)

        job = self._threads.submit(work)
        job.add_done_callback(lambda _: self._places.release())
        try:
            async with asyncio.timeout(READ_SECONDS):
                found = await asyncio.wrap_future(job)
        except (HistoryUnavailable, TimeoutError) as error:
            self._retry_at = time.monotonic() + AWAY_SECONDS
            if isinstance(error, TimeoutError):
                raise HistoryUnavailable("it does not answer in time") from None
            raise
        self._retry_at = None
        return found

    def _is_away(self) -> bool:
        """Return whether a read fails at once; the first one after a while may try again."""
        if self._retry_at is None:
            return False
        now = time.monotonic()
        if now < self._retry_at:
            return True
        self._retry_at = now + READ_SECONDS  # for the others, until this one knows
        return False
