"""Reads of the database in threads, bounded in number and time, in turn by account."""

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from engine.history.database.location import POOL_SIZE
from engine.history.errors import HistoryUnavailable
from engine.history.reading.breaker import Breaker
from engine.process.account_semaphore import AccountSemaphore
from engine.store.archive.state import InstalledId

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from engine.history.database.connections import Database

READ_SECONDS = 8.0
"""Longest time for one read, with its wait for a thread."""
SHARE = 2
"""Threads that one account has at most."""
MOST_WAITING = 16
"""Reads of an account that wait for a thread; further ones are refused at once."""
AWAY_SECONDS = 1.0
"""Time after a failure in which reads are refused at once, but for one that tries again."""
CLOSE_SECONDS = 2.0

T = TypeVar("T")


class BoundedReads:
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
