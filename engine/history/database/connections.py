"""Connection to the database of the history: SQLite in a file, or PostgreSQL."""

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    StatementError,
)
from sqlalchemy.pool import NullPool, Pool, QueuePool

from engine.history.database.identity import require_database, require_encoding
from engine.history.database.location import (
    POOL_SIZE,
    POSTGRESQL,
    SQLITE,
    WRONG_URL,
    without_driver,
)
from engine.history.database.sqlite_file import SqliteFile
from engine.history.errors import HistoryUnavailable
from engine.settings import SettingError

BUSY_SECONDS = 5.0
"""Longest wait for another writer of SQLite."""
CONNECT_SECONDS = 5
STATEMENT_SECONDS = 30.0
DEADLINE = "deadline"
"""Option of a connection: time of the monotonic clock after which its statements end."""
STEPS = 20_000
"""Steps of SQLite's machine, some milliseconds, between two looks at the clock."""
QUERY_CANCELED = "57014"
SILENT_MS = 10_000
"""Time after which a server that acknowledges nothing counts as gone."""
KEEPALIVE = {"keepalives_idle": 3, "keepalives_interval": 2, "keepalives_count": 3}
"""Seconds of silence before a server is asked to acknowledge something, between further requests,
and their number: else one that is cut off while it answers is waited for without end."""
WRITER_LOCK = 0x68725F68
"""Advisory lock of PostgreSQL that a writer holds for its transaction."""


class Database:
    """Engine of the history's database. Calls block; every one may raise HistoryUnavailable.

    After a failure, and when SQLite's file was replaced, its connections are made anew.
    """

    def __init__(
        self, url: str, *, is_durable: bool = False, read_seconds: float | None = None
    ) -> None:
        """Open by a URL `sqlite:///PATH` or `postgresql://…`. Raises SettingError.

        `is_durable`: SQLite writes each commit to the disk, as PostgreSQL always does.
        `read_seconds` is the longest time of one read: a statement of PostgreSQL that begins in it
        may take as long again.
        """
        self._read_seconds = read_seconds
        self._url = _parse_url(url)
        self._file = SqliteFile.from_url(url)
        seconds = read_seconds or STATEMENT_SECONDS
        self._engine = _make_engine(self._url, seconds, is_durable=is_durable)
        self._fresh_engine = _make_engine(
            self._url, seconds, is_durable=is_durable, poolclass=NullPool
        )
        self._lock = threading.Lock()
        self._generation = 0
        """Number of the connections' generation: each is made anew after the last one."""
        self._expected_id = ""
        # Commands use a database for moments, and leave it to its end.
        weakref.finalize(self, self._engine.dispose)

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a file of SQLite."""
        return self._url.get_backend_name() == SQLITE

    @property
    def shown_url(self) -> str:
        """Return the URL without its password."""
        return self._url.render_as_string(hide_password=True)

    def make_private(self) -> None:
        """Create the file of SQLite, readable by its owner alone, if there is none."""
        if self.is_sqlite and self._url.database:
            with suppress(OSError):  # the first connection says why
                os.close(os.open(self._url.database, os.O_RDWR | os.O_CREAT, 0o600))

    def expect(self, database_id: str) -> None:
        """Check in each transaction that the database has this id; empty: check nothing."""
        self._expected_id = database_id

    @contextmanager
    def read(self, *, is_fresh: bool = False) -> Iterator[Connection]:
        """Run a transaction that sees one snapshot of the database.

        `is_fresh`: over a new connection, which opens the file or server that has the URL now.
        """
        options: dict[str, Any] = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        if self._read_seconds is not None:
            options[DEADLINE] = time.monotonic() + self._read_seconds
        engine = self._fresh_engine if is_fresh else self._engine
        with self._reported(), self._begin(engine, options) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Run a transaction, without another writer at the same time; commits at its end."""
        with self._reported(), self._begin(self._engine, {"is_writer": True}) as connection:
            if not self.is_sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"))
            yield connection

    def close(self) -> None:
        """Close all connections; those in use are closed at the end of their transaction."""
        with self._lock:
            self._renew()

    def _renew(self) -> None:
        """Make connections anew; the caller holds the lock."""
        self._generation += 1
        self._engine.dispose()

    @contextmanager
    def _begin(self, engine: Engine, options: Mapping[str, Any]) -> Iterator[Connection]:
        with self._lock:
            if self._file is not None and self._file.is_replaced():
                self._renew()
            generation = self._generation
        with engine.connect() as connection:
            connection.execution_options(**options)
            try:
                with _limited(connection), connection.begin():
                    if self._expected_id:
                        require_database(connection, self._expected_id)
                    yield connection
            finally:
                with self._lock:  # else it may return to a pool that was just given up
                    if generation != self._generation:
                        connection.invalidate()
                    connection.close()

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            is_about_data = isinstance(error, DataError | IntegrityError)
            is_slow = _is_slow(error)
            if not is_about_data and not is_slow:
                self.close()  # a broken connection may stay broken
            raise HistoryUnavailable(
                _reason(error), is_about_data=is_about_data, is_slow=is_slow
            ) from error
        except (StatementError, OverflowError) as error:
            raise HistoryUnavailable(str(error), is_about_data=True) from error


@contextmanager
def _limited(connection: Connection) -> Iterator[None]:
    """Let SQLite interrupt a statement that goes on after the deadline."""
    deadline = connection.get_execution_options().get(DEADLINE)
    raw = connection.connection.driver_connection
    if deadline is None or not isinstance(raw, sqlite3.Connection):
        yield
        return
    raw.set_progress_handler(lambda: time.monotonic() > deadline, STEPS)
    try:
        yield
    finally:
        raw.set_progress_handler(None, 0)


def _check_deadline(connection: Connection, *_: object) -> None:
    """Begin no statement after the deadline."""
    deadline = connection.get_execution_options().get(DEADLINE)
    if deadline is not None and time.monotonic() > deadline:
        raise HistoryUnavailable("a read takes too long", is_slow=True)


def _is_slow(error: DBAPIError) -> bool:
    """Return whether a statement was ended because it took too long."""
    if isinstance(error.orig, sqlite3.OperationalError):
        return error.orig.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT
    return getattr(error.orig, "sqlstate", "") == QUERY_CANCELED


def _reason(error: DBAPIError) -> str:
    """Return the first line of a driver's message, which names neither values nor passwords."""
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__


def _parse_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SettingError("HEADRACE_DATABASE_URL is not the URL of a database") from None
    if parsed.drivername in ("postgres", POSTGRESQL):
        parsed = parsed.set(drivername=f"{POSTGRESQL}+psycopg")
    if parsed.get_backend_name() not in (SQLITE, POSTGRESQL):
        raise SettingError(WRONG_URL)
    return parsed


def _make_engine(
    url: URL, seconds: float, *, is_durable: bool, poolclass: type[Pool] = QueuePool
) -> Engine:
    engine = _create_engine(url, seconds, is_durable=is_durable, poolclass=poolclass)
    event.listen(engine, "before_cursor_execute", _check_deadline)
    return engine


def _create_engine(url: URL, seconds: float, *, is_durable: bool, poolclass: type[Pool]) -> Engine:
    pool = {"pool_size": POOL_SIZE} if poolclass is QueuePool else {}
    try:
        if url.get_backend_name() == SQLITE:
            engine = create_engine(
                url, connect_args={"timeout": BUSY_SECONDS}, poolclass=poolclass, **pool
            )
            synchronous = "FULL" if is_durable else "NORMAL"
            event.listen(engine, "connect", lambda raw, _: _prepare_sqlite(raw, synchronous))
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        engine = create_engine(
            url,
            poolclass=poolclass,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": CONNECT_SECONDS,
                "tcp_user_timeout": SILENT_MS,
                **KEEPALIVE,
                "options": f"-c statement_timeout={int(seconds * 1000)} -c timezone=UTC",
            },
            **pool,
        )
        # Before SQLAlchemy's own first queries, which fail where texts have no encoding.
        event.listen(engine, "connect", lambda raw, _: require_encoding(raw), insert=True)
        return engine
    except (ModuleNotFoundError, NoSuchModuleError):
        raise SettingError(without_driver()) from None


def _prepare_sqlite(connection: sqlite3.Connection, synchronous: str) -> None:
    connection.isolation_level = None  # we begin transactions
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute(f"PRAGMA synchronous={synchronous}")
    cursor.execute("PRAGMA cache_size=-32768")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    is_writer = connection.get_execution_options().get("is_writer")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")
