"""Archive for the store: reads of the database in threads, bounded in number and time.

The first read imports the library of SQL, which takes 15 MB and a sixth of a second.
"""

import asyncio
import contextlib
import functools
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from engine.executions.filter import ExecutionFilter, Position
from engine.history.database.location import POOL_SIZE, check_url
from engine.history.errors import HistoryUnavailable
from engine.history.reading.breaker import Breaker
from engine.process.account_semaphore import AccountSemaphore
from engine.settings import Settings
from engine.store.accounts.wallets import LedgerEntry
from engine.store.archive.archive import (
    ArchivedBatch,
    ArchivedCount,
    ArchivedDelivery,
    ArchivedExecution,
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

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from engine.history.database.connections import Database

READ_SECONDS = 8.0
"""Longest time for one read, with its wait for a thread."""
RUN_SECONDS = 4.0
"""Longest time of a read in its thread."""
SHARE = 2
"""Threads that one account has at most."""
MOST_WAITING = 16
"""Reads of an account that wait for a thread; further ones are refused at once."""
AWAY_SECONDS = 1.0
"""Time after a failure in which reads are refused at once, but for one that tries again."""
INSTALLATION = ""
"""Account of reads that no account asked for."""
CLOSE_SECONDS = 2.0

T = TypeVar("T")


def open_archive(settings: Settings) -> OpenArchive:
    """Return the function that opens the archive of the settings. Raises SettingError."""
    url = settings.database_url
    if not url:
        return NoArchive
    check_url(url)

    def open_database() -> "Database":
        from engine.history.database.connections import Database

        return Database(url, read_seconds=RUN_SECONDS)

    return functools.partial(HistoryArchive, open_database)


class HistoryArchive:
    """Reads one database; each read sees one snapshot. Raises HistoryUnavailable.

    HistoryUnavailable is raised for a database other than the installation's too.
    Accounts take turns for the threads. After a failure of the database all reads are refused for a
    moment, after a slow read those of its account.
    """

    def __init__(self, open_database: Callable[[], "Database"], installed_id: InstalledId) -> None:
        self._open_database = open_database
        self._installed_id = installed_id
        self._expected_id = ""
        self._opening = threading.Lock()
        self._database: Database | None = None
        self._threads = ThreadPoolExecutor(POOL_SIZE, thread_name_prefix="history")
        self._slots = AccountSemaphore(POOL_SIZE, SHARE)
        self._reads: Counter[str] = Counter()
        """Reads that run or wait, by account."""
        self._away = Breaker(AWAY_SECONDS, READ_SECONDS)
        self._slow: dict[str, Breaker] = {}
        """Of accounts whose last read was slow."""

    async def require(self) -> None:
        """Raise HistoryUnavailable unless this is the database that has the history."""
        if not await self._expected():
            raise HistoryUnavailable("no database has the history of this installation yet")
        await self.read(INSTALLATION, lambda _: None)

    async def record(self, account_id: str, execution_id: str) -> EndedRecord | None:
        """Return the record of an execution, None for an unknown one."""

        def work(connection: "Connection") -> EndedRecord | None:
            from engine.history.reading.execution_reads import read_record

            return read_record(connection, account_id, execution_id)

        return await self.read(account_id, work)

    async def page(
        self,
        account_id: str,
        wanted: ExecutionFilter,
        after: Position | None,
        *,
        limit: int,
        offset: int = 0,
    ) -> ArchivedPage:
        """Return matches after a row and after `offset` further matches."""

        def work(connection: "Connection") -> ArchivedPage:
            from engine.history.reading.execution_reads import read_page

            return read_page(connection, account_id, wanted, after, limit=limit, offset=offset)

        return await self.read(account_id, work)

    async def heads(
        self, account_id: str, execution_ids: Collection[str]
    ) -> Sequence[ArchivedExecution]:
        """Return those of these executions that the history has, in any order."""

        def work(connection: "Connection") -> Sequence[ArchivedExecution]:
            from engine.history.reading.execution_reads import read_heads

            return read_heads(connection, account_id, execution_ids)

        return await self.read(account_id, work)

    async def results(self, account_id: str, execution_ids: Collection[str]) -> Mapping[str, bytes]:
        """Return the recorded results of executions that have one, by id."""

        def work(connection: "Connection") -> Mapping[str, bytes]:
            from engine.history.reading.execution_reads import read_results

            return read_results(connection, account_id, execution_ids)

        return await self.read(account_id, work)

    async def count(
        self, account_id: str, wanted: ExecutionFilter, after: Position | None, *, at_most: int
    ) -> ArchivedCount:
        """Return the number of matches after a row, at most so many."""

        def work(connection: "Connection") -> ArchivedCount:
            from engine.history.reading.execution_queries import count_rows

            return count_rows(connection, account_id, wanted, after, at_most=at_most)

        return await self.read(account_id, work)

    async def known(self, ids: Iterable[ExecutionIds]) -> set[ExecutionIds]:
        """Return those executions and batches that the history has."""
        wanted = list(ids)

        def work(connection: "Connection") -> set[ExecutionIds]:
            from engine.history.archiving.execution_writer import find_known
            from engine.history.reading.batch_reads import find_known_batches

            return find_known(connection, wanted) | find_known_batches(connection, wanted)

        accounts = {account_id for account_id, _ in wanted}
        account_id = accounts.pop() if len(accounts) == 1 else INSTALLATION
        return await self.read(account_id, work) if wanted else set()

    async def figures(
        self, account_id: str, wanted: SeriesQuery, created: Mapping[str, int]
    ) -> ArchivedFigures:
        """Return figures, and which of some executions the history has at that moment."""

        def work(connection: "Connection") -> ArchivedFigures:
            from engine.history.archiving.execution_writer import find_known
            from engine.history.reading.series import read_figures

            ids = find_known(connection, [(account_id, name) for name in created])
            known = {name for _, name in ids}
            changed = {wanted.bucket_of(at) for name, at in created.items() if name not in known}
            whole, by_key = read_figures(connection, account_id, wanted, changed)
            return ArchivedFigures(whole=whole, by_key=by_key, known=known)

        return await self.read(account_id, work)

    async def ledger(
        self, account_id: str, wanted: LedgerFilter, before: StreamId | None, limit: int
    ) -> Sequence[tuple[StreamId, LedgerEntry]]:
        """Return the matching entries before one of a ledger, newest first."""

        def work(connection: "Connection") -> Sequence[tuple[StreamId, LedgerEntry]]:
            from engine.history.reading.entry_reads import read_ledger

            return read_ledger(connection, account_id, wanted, before, limit)

        return await self.read(account_id, work)

    async def ledger_sums(self, account_id: str) -> ArchivedLedger | None:
        """Return the sums of a ledger's archived entries, None when it has none."""

        def work(connection: "Connection") -> ArchivedLedger | None:
            from engine.history.archiving.entries import ledger_position, ledger_sums

            last = ledger_position(connection, account_id)
            if last is None:
                return None
            sums = ledger_sums(connection, account_id)
            return ArchivedLedger(last=(last.at, last.number), sums=sums)

        return await self.read(account_id, work)

    async def deliveries(
        self,
        account_id: str,
        key_id: str | None,
        status: str | None,
        after: Position | None,
        limit: int,
        *,
        execution_id: str | None = None,
    ) -> Sequence[ArchivedDelivery]:
        """Return ended deliveries after a row, of a webhook or an execution, or all."""

        def work(connection: "Connection") -> Sequence[ArchivedDelivery]:
            from engine.history.reading.entry_reads import read_deliveries

            wanted = {"key_id": key_id, "execution_id": execution_id, "status": status}
            return read_deliveries(connection, account_id, wanted, after, limit)

        return await self.read(account_id, work)

    async def deliveries_since(
        self, account_id: str, key_id: str, status: str | None, since: int, limit: int
    ) -> Sequence[Position]:
        """Return the rows of a webhook's deliveries created since a time, oldest first."""

        def work(connection: "Connection") -> Sequence[Position]:
            from engine.history.reading.entry_reads import read_deliveries_since

            return read_deliveries_since(connection, account_id, key_id, status, since, limit)

        return await self.read(account_id, work)

    async def delivery(self, account_id: str, delivery_id: str) -> ArchivedDelivery | None:
        """Return an ended delivery, None for an unknown one."""

        def work(connection: "Connection") -> ArchivedDelivery | None:
            from engine.history.reading.entry_reads import read_delivery

            return read_delivery(connection, account_id, delivery_id)

        return await self.read(account_id, work)

    async def batch(self, account_id: str, batch_id: str) -> Mapping[str, bytes] | None:
        """Return the whole record of a batch that is over, None for an unknown one."""

        def work(connection: "Connection") -> Mapping[str, bytes] | None:
            from engine.history.reading.batch_reads import read_batch

            return read_batch(connection, account_id, batch_id)

        return await self.read(account_id, work)

    async def batches(
        self, account_id: str, after: Position | None, limit: int
    ) -> Sequence[ArchivedBatch]:
        """Return batches that are over, after a row, newest first."""

        def work(connection: "Connection") -> Sequence[ArchivedBatch]:
            from engine.history.reading.batch_reads import read_batches

            return read_batches(connection, account_id, after, limit)

        return await self.read(account_id, work)

    async def close(self) -> None:
        """Close all connections, after a short wait for reads that go on."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.to_thread(self._threads.shutdown)
        if self._database is not None:
            self._database.close()

    async def read(self, account_id: str, query: Callable[["Connection"], T]) -> T:
        """Return the outcome of a query of an account, called with a connection."""
        breakers = [self._away, *filter(None, [self._slow.get(account_id)])]
        if any(each.is_open() for each in breakers):
            raise HistoryUnavailable("it did not answer a moment ago")
        expected = await self._expected()
        if self._reads[account_id] >= SHARE + MOST_WAITING:
            raise HistoryUnavailable("too many reads of this account wait for it")
        for each in breakers:
            each.begin()
        self._reads[account_id] += 1
        try:
            outcome = await self._in_turn(account_id, expected, query)
        except BaseException as error:
            self._record_failure(error)
            raise
        finally:
            self._reads[account_id] -= 1
            if not self._reads[account_id]:
                del self._reads[account_id]
        self._away.succeed()
        self._slow.pop(account_id, None)
        return outcome

    async def _in_turn(
        self, account_id: str, expected: str, query: Callable[["Connection"], T]
    ) -> T:
        """Run a query in a thread of the account's; the thread is taken until the query ends."""

        def work() -> T:
            with self._opened(expected).read() as connection:
                return query(connection)

        job: Future[T] | None = None
        try:
            async with asyncio.timeout(READ_SECONDS):
                await self._slots.acquire(account_id)
                job = self._begin(account_id, work)
                return await asyncio.wrap_future(job)
        except TimeoutError:
            if job is None:
                raise HistoryUnavailable("others take all its threads", is_slow=True) from None
            self._record_slow_read(account_id)
            raise HistoryUnavailable("it does not answer in time", is_slow=True) from None
        except HistoryUnavailable as error:
            if error.is_slow:
                self._record_slow_read(account_id)
            raise

    def _begin(self, account_id: str, work: Callable[[], T]) -> "Future[T]":
        """Begin work in a thread, and give the account's slot back at its end."""
        loop = asyncio.get_running_loop()

        def release(_: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._slots.release, account_id)

        try:
            job = self._threads.submit(work)
        except RuntimeError:  # it closes
            self._slots.release(account_id)
            raise HistoryUnavailable("this process is about to stop") from None
        job.add_done_callback(release)
        return job

    def _record_failure(self, error: BaseException) -> None:
        """Refuse reads for a moment when the database is away."""
        failure = error if isinstance(error, HistoryUnavailable) else None
        if isinstance(error, asyncio.CancelledError) or (failure and failure.is_slow):
            self._away.abandon()
        elif failure and not failure.is_about_data:
            self._away.fail()
        else:
            self._away.succeed()  # it has answered

    def _record_slow_read(self, account_id: str) -> None:
        self._slow.setdefault(account_id, Breaker(AWAY_SECONDS, READ_SECONDS)).fail()

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
