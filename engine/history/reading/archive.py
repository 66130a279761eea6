"""Archive for the store: reads of the database in threads, bounded in number and time.

The first read imports the library of SQL, which takes 15 MB and a sixth of a second.
"""

import asyncio
import contextlib
import functools
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from engine.history.errors import HistoryUnavailable
from engine.history.location import POOL_SIZE, check_url
from engine.settings import Settings
from engine.store.accounts.wallets import LedgerEntry
from engine.store.archive.archive import (
    ArchivedCount,
    ArchivedDelivery,
    ArchivedFigures,
    ArchivedLedger,
    ArchivedPage,
    ExecutionIds,
    LedgerFilter,
    NoArchive,
    OpenArchive,
    SeriesQuery,
    StreamId,
)
from engine.store.archive.ended_executions import EndedRecord
from engine.store.archive.state import InstalledId
from engine.store.executions.filters import ExecutionFilter, Row

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from engine.history.database import Database

READ_SECONDS = 8.0
"""Longest time for one read, with its wait for a thread."""
MOST_WAITING = 64
"""Reads that wait for a thread; further ones are refused at once."""
AWAY_SECONDS = 1.0
"""Time after a failure in which reads are refused at once, but for one that tries again."""
CLOSE_SECONDS = 2.0

T = TypeVar("T")


def open_archive(settings: Settings) -> OpenArchive:
    """Return what opens the archive of the settings. Raises SettingError."""
    url = settings.database_url
    if not url:
        return NoArchive
    check_url(url)

    def open_database() -> "Database":
        from engine.history.database import Database

        return Database(url)

    return functools.partial(HistoryArchive, open_database)


class HistoryArchive:
    """Reads one database; each read sees one snapshot. Raises HistoryUnavailable.

    It does for a database other than the installation's too, which lacks what Redis has forgotten.
    """

    def __init__(self, open_database: Callable[[], "Database"], installed_id: InstalledId) -> None:
        self._open_database = open_database
        self._installed_id = installed_id
        self._expected_id = ""
        self._opening = threading.Lock()
        self._database: Database | None = None
        self._threads = ThreadPoolExecutor(POOL_SIZE, thread_name_prefix="history")
        self._places = threading.BoundedSemaphore(POOL_SIZE + MOST_WAITING)
        self._retry_at: float | None = None
        """Time of the next try while the database is away; None: it answers."""

    async def require(self) -> None:
        """Raise HistoryUnavailable unless this is the database that has the history."""
        if not await self._expected():
            raise HistoryUnavailable("no database has the history of this installation yet")
        await self.read(lambda _: None)

    async def record(self, account_id: str, execution_id: str) -> EndedRecord | None:
        """Return the record of an execution, None for an unknown one."""

        def work(connection: "Connection") -> EndedRecord | None:
            from engine.history.reading.execution_reads import read_record

            return read_record(connection, account_id, execution_id)

        return await self.read(work)

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

        def work(connection: "Connection") -> ArchivedPage:
            from engine.history.reading.execution_reads import read_page

            return read_page(connection, account_id, wanted, after, limit=limit, offset=offset)

        return await self.read(work)

    async def results(self, account_id: str, execution_ids: Collection[str]) -> Mapping[str, bytes]:
        """Return the recorded results of executions that have one, by id."""

        def work(connection: "Connection") -> Mapping[str, bytes]:
            from engine.history.reading.execution_reads import read_results

            return read_results(connection, account_id, execution_ids)

        return await self.read(work)

    async def count(
        self, account_id: str, wanted: ExecutionFilter, after: Row | None, *, at_most: int
    ) -> ArchivedCount:
        """Return the number of matches after a row, at most so many."""

        def work(connection: "Connection") -> ArchivedCount:
            from engine.history.reading.execution_queries import count_rows

            return count_rows(connection, account_id, wanted, after, at_most=at_most)

        return await self.read(work)

    async def known(self, ids: Iterable[ExecutionIds]) -> set[ExecutionIds]:
        """Return those executions that the history has."""
        wanted = list(ids)

        def work(connection: "Connection") -> set[ExecutionIds]:
            from engine.history.writer import find_known

            return find_known(connection, wanted)

        return await self.read(work) if wanted else set()

    async def figures(
        self, account_id: str, wanted: SeriesQuery, created: Mapping[str, int]
    ) -> ArchivedFigures:
        """Return figures, and which of some executions the history has at that moment."""

        def work(connection: "Connection") -> ArchivedFigures:
            from engine.history.reading.series import read_figures
            from engine.history.writer import find_known

            found = find_known(connection, [(account_id, name) for name in created])
            known = {name for _, name in found}
            changed = {wanted.bucket_of(at) for name, at in created.items() if name not in known}
            whole, by_key = read_figures(connection, account_id, wanted, changed)
            return ArchivedFigures(whole=whole, by_key=by_key, known=known)

        return await self.read(work)

    async def ledger(
        self, account_id: str, wanted: LedgerFilter, before: StreamId | None, limit: int
    ) -> Sequence[tuple[StreamId, LedgerEntry]]:
        """Return the matching entries before one of a ledger, newest first."""

        def work(connection: "Connection") -> Sequence[tuple[StreamId, LedgerEntry]]:
            from engine.history.reading.entry_reads import read_ledger

            return read_ledger(connection, account_id, wanted, before, limit)

        return await self.read(work)

    async def ledger_sums(self, account_id: str) -> ArchivedLedger | None:
        """Return the sums of a ledger's archived entries, None when it has none."""

        def work(connection: "Connection") -> ArchivedLedger | None:
            from engine.history.entries import ledger_position, ledger_sums

            last = ledger_position(connection, account_id)
            if last is None:
                return None
            sums = ledger_sums(connection, account_id)
            return ArchivedLedger(last=(last.at, last.number), sums=sums)

        return await self.read(work)

    async def deliveries(
        self, account_id: str, key_id: str, status: str | None, after: Row | None, limit: int
    ) -> Sequence[ArchivedDelivery]:
        """Return ended deliveries of a webhook after a row, newest first."""

        def work(connection: "Connection") -> Sequence[ArchivedDelivery]:
            from engine.history.reading.entry_reads import read_deliveries

            return read_deliveries(connection, account_id, key_id, status, after, limit)

        return await self.read(work)

    async def deliveries_since(
        self, account_id: str, key_id: str, status: str | None, since: int, limit: int
    ) -> Sequence[Row]:
        """Return the rows of a webhook's deliveries created since a time, oldest first."""

        def work(connection: "Connection") -> Sequence[Row]:
            from engine.history.reading.entry_reads import read_deliveries_since

            return read_deliveries_since(connection, account_id, key_id, status, since, limit)

        return await self.read(work)

    async def delivery(self, account_id: str, delivery_id: str) -> ArchivedDelivery | None:
        """Return an ended delivery, None for an unknown one."""

        def work(connection: "Connection") -> ArchivedDelivery | None:
            from engine.history.reading.entry_reads import read_delivery

            return read_delivery(connection, account_id, delivery_id)

        return await self.read(work)

    async def close(self) -> None:
        """Close all connections, after a short wait for reads that go on."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.to_thread(self._threads.shutdown)
        if self._database is not None:
            self._database.close()

    async def read(self, query: Callable[["Connection"], T]) -> T:
        """Return the outcome of a query, called with a connection."""
        if self._is_away():
            raise HistoryUnavailable("it did not answer a moment ago")
        expected = await self._expected()
        if not self._places.acquire(blocking=False):
            raise HistoryUnavailable("too many reads wait for it")

        def work() -> T:
            with self._opened(expected).read() as connection:
                return query(connection)

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

    async def _expected(self) -> str:
        """Return the id of the database that has the history; empty where none has it yet."""
        self._expected_id = self._expected_id or await self._installed_id()
        return self._expected_id

    def _opened(self, expected: str) -> "Database":
        with self._opening:
            if self._database is None:
                self._database = self._open_database()
            self._database.expect(expected)
            return self._database

    def _is_away(self) -> bool:
        """Return whether a read fails at once; the first one after a while may try again."""
        if self._retry_at is None:
            return False
        now = time.monotonic()
        if now < self._retry_at:
            return True
        self._retry_at = now + READ_SECONDS  # for the others, until this one knows
        return False
