"""The archiver's process: led by one worker, restarted when it dies, ended with its worker."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from engine.history.database.connections import Database
from engine.history.database.own_database import OwnDatabase
from engine.history.schema import executions
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.archive.state import ArchiverStates
from engine.store.redis import keyspace, process_keys
from tests.support.eventually import eventually
from tests.support.history.databases import copy_sqlite
from tests.support.store.ended import Ending
from workers.history import main
from workers.history import process as module
from workers.history.process import ArchiverProcess


@pytest.fixture
def with_history(settings: Settings, tmp_path: Path, sqlite_template: Path) -> Settings:
    return replace(settings, database_url=copy_sqlite(sqlite_template, tmp_path))


def make_process(store: Store, settings: Settings, worker_id: str) -> ArchiverProcess:
    states = ArchiverStates(store.client)
    own_database = OwnDatabase(settings.database_url, states, worker_id)
    return ArchiverProcess(store, settings, worker_id, own_database)


async def test_the_leaders_process_archives_and_is_replaced_when_it_is_killed(
    store: Store, account: Account, with_history: Settings
) -> None:
    ending = await Ending.of(store, account)
    database = Database(with_history.database_url)
    keeper = make_process(store, with_history, "w1")

    async def count() -> int:
        with database.read() as connection:
            return connection.execute(select(func.count()).select_from(executions)).scalar_one()

    try:
        for archived in (1, 2):
            await ending.completed()
            await keeper.step()
            await eventually(count, lambda seen, wanted=archived: seen == wanted)
            assert keeper.process is not None
            keeper.process.kill()
            await keeper.process.wait()
    finally:
        await keeper._stop()
        database.close()


async def test_what_the_archiver_commits_is_on_the_disk(
    with_history: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels: list[int] = []

    class Seen(Database):
        """Database that tells how it commits."""

        def close(self) -> None:
            with self.read() as connection:
                level = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
            levels.append(level)
            super().close()

    monkeypatch.setattr(main, "Database", Seen)
    async with main.archiver(with_history):
        pass

    full = 2
    assert levels == [full]


async def test_only_the_leader_has_a_process_and_it_ends_with_its_worker(
    store: Store, with_history: Settings
) -> None:
    leader = make_process(store, with_history, "w1")
    follower = make_process(store, with_history, "w2")
    await leader.step()
    await follower.step()
    assert follower.process is None
    process = leader.process
    assert process is not None

    leader._cut_lifeline()  # as when the worker is killed

    assert await asyncio.wait_for(process.wait(), 40) == 0


async def test_a_worker_that_loses_the_lead_ends_its_process(
    store: Store, with_history: Settings
) -> None:
    keeper = make_process(store, with_history, "w1")
    await keeper.step()
    process = keeper.process
    assert process is not None

    await store.client.send("SET", process_keys.archiver(), "w2", "PX", 60_000)
    await keeper.step()

    assert process.returncode is not None
    assert keeper.process is None


async def test_a_worker_with_another_database_leaves_the_lead_to_others(
    store: Store, with_history: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEAD_SECONDS", 0.2)
    states = ArchiverStates(store.client)
    own_database = OwnDatabase(with_history.database_url, states, "w1")
    unfit = ArchiverProcess(store, with_history, "w1", own_database)
    await unfit.step()
    process = unfit.process
    assert process is not None

    await store.client.send("HSET", keyspace.history(), "database", "another")
    await own_database.look()
    await unfit.step()

    assert process.returncode is not None
    await eventually(lambda: store.client.send("EXISTS", process_keys.archiver()), lambda n: n == 0)
    await unfit.step()
    assert not await store.client.send("EXISTS", process_keys.archiver())
