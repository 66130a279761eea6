"""A database of the history that was dumped and restored has the history as before."""

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from engine.history.database.connections import Database
from engine.history.database.own_database import OwnDatabase
from engine.history.retention.retention import Retention
from engine.history.schema import metadata
from engine.media.objects import ObjectStore
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.archive.state import ArchiverStates
from engine.store.redis import keyspace
from tests.support.eventually import eventually
from tests.support.history.archived import reading
from tests.support.history.databases import create_database, postgresql_programs
from tests.support.history.rows import table_rows
from tests.support.store.ended import Ending
from tests.workers.history.test_archiver import running
from workers.history import archiver as module
from workers.history.archiver import Archiver
from workers.history.duties import EndedEntries, Forgetting, MissedExecutions
from workers.history.load import OtherLoad


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every duty be due at each step, without pauses for what else this machine does."""
    monkeypatch.setattr(OtherLoad, "share", lambda self: 0.0)
    monkeypatch.setattr(module, "COLLECT_SECONDS", 0.0)
    for duty in (EndedEntries, Forgetting, MissedExecutions):
        monkeypatch.setattr(duty, "interval_seconds", 0.0)


def restored(url: str, folder: Path) -> str:
    """Dump a database, restore the dump as another one, and return its URL."""
    if url.startswith("sqlite"):
        copy = folder / "restored.sqlite"
        with (
            closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as before,
            closing(sqlite3.connect(copy)) as after,
        ):
            before.backup(after)
        return f"sqlite:///{copy}"
    programs = postgresql_programs()
    name = f"restored_{os.getpid()}_{uuid4().hex[:6]}"
    create_database(url, name)
    path, _, query = url.partition("?")
    other = f"{path.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
    dumped = subprocess.run(
        [programs / "pg_dump", "--format=custom", url], stdout=subprocess.PIPE, check=True
    ).stdout
    command = [programs / "pg_restore", "--exit-on-error", f"--dbname={other}"]
    subprocess.run(command, input=dumped, capture_output=True, check=True)
    return other


async def archive_all(store: Store, database: Database, account: Account) -> None:
    """Let an archiver work until Redis has forgotten all executions of an account."""
    retention = Retention(store, database, retention_days=30, audit_days=30, keep_ms=0)
    key = keyspace.account_executions(account.id)
    async with running(Archiver(store, database, retention, keep_ms=0)):
        await eventually(lambda: store.client.send("ZCARD", key), lambda left: left == 0)


async def test_a_restored_dump_has_the_history_and_takes_what_ends_later(
    store: Store,
    account: Account,
    database: Database,
    database_url: str,
    settings: Settings,
    tmp_path: Path,
) -> None:
    ending = await Ending.of(store, account)
    names = [await ending.completed(), await ending.failed()]
    await archive_all(store, database, account)

    url = restored(database_url, tmp_path)
    again = Database(url)
    for table in metadata.sorted_tables:
        assert table_rows(again, table) == table_rows(database, table)
    own = OwnDatabase(url, ArchiverStates(store.client), "host-7-1a")
    await own.look()
    assert own.problem() == ""

    names.append(await ending.completed())
    await archive_all(store, again, account)
    reader = Store.open(settings, ObjectStore.from_settings(settings), reading(again))
    found, _ = await reader.executions.list(account.id)
    assert {keyspace.reference(account.id, each.id) for each in found} == set(names)
    assert (await ArchiverStates(store.client).read()).error == ""
    await reader.close()
