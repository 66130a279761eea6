"""Databases of the history that a test takes away for a while."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from tests.support.eventually import PATIENCE_SECONDS
from tests.support.history.databases import create_database, server_of_run


class TakenAway(Protocol):
    """Database of one stack."""

    url: str

    def take_away(self) -> None:
        """Let nobody write."""
        ...

    def give_back(self) -> None:
        """Let it be used again."""
        ...


class LockedFile:
    """File of SQLite that this process locks."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "history.sqlite"
        self.url = f"sqlite:///{self._path}"

    def take_away(self) -> None:
        self._lock = sqlite3.connect(
            self._path, isolation_level=None, timeout=60, check_same_thread=False
        )
        self._lock.execute("BEGIN IMMEDIATE")

    def give_back(self) -> None:
        self._lock.close()


class StoppedServer:
    """Server of PostgreSQL that crashes."""

    def __init__(self, server: Any) -> None:
        self._server = server
        create_database(server.get_uri(), "history")
        self.url: str = server.get_uri(database="history")

    def take_away(self) -> None:
        process = self._server.get_postmaster_info().process
        process.send_signal(signal.SIGQUIT)
        process.wait(PATIENCE_SECONDS)

    def give_back(self) -> None:
        self._server.ensure_postgres_running()


@contextmanager
def taken_away(kind: str, folder: Path) -> Iterator[TakenAway]:
    """Provide the database of one stack, `sqlite` or `postgresql`."""
    if kind == "sqlite":
        yield LockedFile(folder)
        return
    server = server_of_run(f"{os.getpid()}-away")
    yield StoppedServer(server)
    server.cleanup()
