"""Check that this process has the installation's database, without the library of SQL.

Every gateway and worker checks it, also one that never reads the history.
"""

import asyncio
import contextlib
import logging
import sqlite3
from contextlib import closing

from engine.errors import EngineError
from engine.history.database.location import POSTGRESQL
from engine.history.database.sqlite_file import SqliteFile
from engine.history.errors import HistoryUnavailable
from engine.store.archive.state import ANOTHER_DATABASE, NO_DATABASE, ArchiverStates

LOOK_SECONDS = 10.0
CONNECT_SECONDS = 5
STATEMENT_MS = 5_000
QUERY = "SELECT value FROM archive_state WHERE name = 'database'"

log = logging.getLogger(__name__)


class OwnDatabase:
    """Tells whether the database of a URL, empty for none, has the installation's history.

    A process without it reports that in Redis, for `headrace doctor` and `/readyz` of gateways.
    """

    def __init__(self, url: str, states: ArchiverStates, process: str) -> None:
        self.has_url = bool(url)
        self._url = url
        self._file = SqliteFile.from_url(url)
        self._states = states
        self._process = process
        self.is_unfit = False
        """Whether another database than this one had the history at the last look."""
        self._problem = ""

    def problem(self) -> str:
        """Return the problem at the last look, empty for none."""
        return self._problem

    async def watch(self) -> None:
        """Look every ten seconds, until cancelled."""
        while True:
            with contextlib.suppress(EngineError, RuntimeError):
                await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Compare the database with the one that Redis knows. Raises Unavailable."""
        installed = await self._states.database_id()
        before, self._problem = self._problem, await self._compare(installed)
        is_unfit = self._problem in (NO_DATABASE, ANOTHER_DATABASE)
        if is_unfit:
            await self._states.report_unfit(self._process, self._problem)
        elif self.is_unfit:
            await self._states.report_fit(self._process)
        self.is_unfit = is_unfit
        if self._problem and self._problem != before:
            log.warning(
                "this process does not use the database of the history",
                extra={"reason": self._problem},
            )

    async def _compare(self, installed: str) -> str:
        if not installed:
            return ""
        if not self._url:
            return NO_DATABASE
        try:
            own = await asyncio.to_thread(self._read_id)
        except HistoryUnavailable as error:
            return error.reason
        return "" if own == installed else ANOTHER_DATABASE

    def _read_id(self) -> str:
        if self._url.partition(":")[0].partition("+")[0].startswith("postgres"):
            return _postgresql_id(self._url)
        return "" if self._file is None else _sqlite_id(self._file)


def _sqlite_id(file: SqliteFile) -> str:
    file.is_replaced()  # raises where SQLite would read another file's journal
    try:
        with closing(sqlite3.connect(file.path, timeout=CONNECT_SECONDS)) as connection:
            row = connection.execute(QUERY).fetchone()
    except sqlite3.Error as error:
        raise HistoryUnavailable(str(error)) from error
    return str(row[0]) if row else ""


def _postgresql_id(url: str) -> str:
    import psycopg  # an extra, of 10 MB

    address = f"{POSTGRESQL}://{url.partition('://')[2]}"
    try:
        with psycopg.connect(
            address,
            connect_timeout=CONNECT_SECONDS,
            options=f"-c statement_timeout={STATEMENT_MS}",
        ) as connection:
            row = connection.execute(QUERY).fetchone()
    except psycopg.Error as error:
        lines = str(error).strip().splitlines()
        raise HistoryUnavailable(lines[0] if lines else type(error).__name__) from error
    return str(row[0]) if row else ""
