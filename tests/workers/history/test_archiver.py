"""The archiver's loop: all that has ended goes to the history and nothing is lost or doubled."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import Table, func, select, text

from engine.access.capabilities import Role, Tier
from engine.history.archiving import execution_archive
from engine.history.archiving.entries import ledger_sums
from engine.history.archiving.execution_archive import ExecutionArchive
from engine.history.database.connections import Database
from engine.history.errors import HistoryUnavailable
from engine.history.migrations.migrate import migrate
from engine.history.retention import retention
from engine.history.retention.retention import Retention
from engine.history.schema import (
    audit_entries,
    batches,
    deliveries,
    executions,
    ledger_entries,
    rollups,
)
from engine.ids import partitions
from engine.ids.partitions import partition_of
from engine.store import Account, Store
from engine.store.archive.ended_executions import EndedExecutions
from engine.store.archive.state import ANOTHER_DATABASE, ArchiverStates
from engine.store.redis import batch_keys, keyspace
from tests.support.eventually import eventually
from tests.support.history.rows import table_rows
from tests.support.store.ended import URL, Ending
from tests.support.store.ended_batches import EndingBatches
from workers.history import archiver as module
from workers.history.archiver import Archiver
from workers.history.duties import EndedEntries, Forgetting, MissedExecutions, OldRows
from workers.history.load import OtherLoad

LONG_MS = 86_400_000


def make(store: Store, database: Database, *, keep_ms: int = LONG_MS, days: float = 30) -> Archiver:
    removal = Retention(store, database, retention_days=days, audit_days=days, keep_ms=keep_ms)
    return Archiver(store, database, removal, keep_ms=keep_ms)


@pytest.fixture
def archiver(store: Store, database: Database) -> Archiver:
    return make(store, database)


@pytest.fixture
async def ending(store: Store, account: Account) -> Ending:
    return await Ending.of(store, account)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every duty be due at each step, without pauses for what else this machine does."""
    monkeypatch.setattr(OtherLoad, "share", lambda self: 0.0)
    for duty in (EndedEntries, Forgetting, MissedExecutions, OldRows):
        monkeypatch.setattr(duty, "interval_seconds", 0.0)


def count(database: Database, table: Table = executions) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


async def reach(condition: Callable[[], bool]) -> None:
    """Wait for a condition on the database."""

    async def holds() -> bool:
        return condition()

    await eventually(holds)


@contextlib.asynccontextmanager
async def running(archiver: Archiver) -> AsyncIterator[None]:
    task = asyncio.create_task(archiver.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_all_that_has_ended_is_in_the_history_after_a_while(
    archiver: Archiver, ending: Ending, database: Database
) -> None:
    key_id = await ending.with_webhook()
    reference = await ending.completed(key_id=key_id, webhook_url=URL)
    await ending.deliver(reference)
    terms = ending.store.tiers.terms(Tier.PRO, Role.USER)
    await ending.store.wallets.top_up(ending.account.id, terms, 5)
    await EndingBatches(ending.store, ending.account.id).over()

    async with running(archiver):
        await reach(lambda: count(database, batches) == 1)
        await reach(lambda: count(database, deliveries) == 1)
        await reach(lambda: count(database, ledger_entries) == 2)
        await reach(lambda: count(database, audit_entries) > 0)

    assert count(database) == 1
    with database.read() as connection:
        assert sum(ledger_sums(connection, ending.account.id).values()) == 5_005


async def test_a_step_takes_more_at_once_while_more_wait(
    archiver: Archiver, ending: Ending, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    monkeypatch.setattr(OtherLoad, "share", lambda self: 0.0)
    archiver = make(ending.store, database)
    for _ in range(5):
        await ending.completed()

    assert await archiver.step() == 0.0
    assert count(database) == 2
    await archiver.step()
    assert count(database) == 5
    assert await archiver.step() == module.COLLECT_SECONDS


@pytest.mark.parametrize("work", ["archive", "due"])
async def test_it_pauses_many_times_as_long_as_it_works_while_others_need_the_processors(
    ending: Ending, database: Database, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    monkeypatch.setattr(module, "BATCH", 1)
    monkeypatch.setattr(OtherLoad, "share", lambda self: 0.9)
    do = getattr(ExecutionArchive, work)

    async def slowly(*arguments: object) -> object:
        monkeypatch.setattr(ExecutionArchive, work, do)
        await asyncio.sleep(0.1)
        return await do(*arguments)

    monkeypatch.setattr(ExecutionArchive, work, slowly)
    await ending.completed()

    pause = await make(ending.store, database).step()

    assert module.BUSY_PAUSES * 0.09 <= pause <= module.LONGEST_PAUSE_SECONDS


@pytest.mark.parametrize("reason", ["hot time", "many wait"])
async def test_it_pauses_for_nobody_once_its_work_is_pressing(
    ending: Ending, database: Database, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    monkeypatch.setattr(module, "BATCH", 1)
    monkeypatch.setattr(module, "LARGE_BATCH", 1)
    monkeypatch.setattr(OtherLoad, "share", lambda self: 0.9)
    keep_ms = 1 if reason == "hot time" else LONG_MS
    if reason == "many wait":
        monkeypatch.setattr(module, "PRESSING_COUNT", 2)
    for _ in range(3):
        await ending.completed()
    archiver = make(ending.store, database, keep_ms=keep_ms)
    await asyncio.sleep(0.01)

    assert await archiver.step() == 0.0


async def test_it_pauses_for_nobody_while_redis_has_more_to_forget(
    ending: Ending, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.history.archiving.execution_archive.FORGET_BATCH", 1)
    monkeypatch.setattr("workers.history.duties.FORGET_PAGES", 1)
    monkeypatch.setattr(OtherLoad, "share", lambda self: 0.9)
    archiver = make(ending.store, database, keep_ms=0)
    for _ in range(3):
        await ending.completed()
        await asyncio.sleep(0.002)
    await archiver.step()

    pauses = [await archiver.step() for _ in range(4)]

    assert pauses[0] == 0.0
    assert pauses[-1] > 0.0


async def test_its_pauses_become_shorter_with_the_number_that_waits(
    ending: Ending, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 1)
    monkeypatch.setattr(module, "LARGE_BATCH", 1)
    monkeypatch.setattr(module, "PRESSING_COUNT", 4)
    monkeypatch.setattr(module, "BUSY_PAUSES", 1_000_000)
    monkeypatch.setattr(OtherLoad, "share", lambda self: 0.9)
    for _ in range(4):
        await ending.completed()
    archiver = make(ending.store, database)

    pauses = [await archiver.step() for _ in range(4)]

    assert pauses == [module.LONGEST_PAUSE_SECONDS * part for part in (0.25, 0.5, 0.75, 1.0)]


async def test_what_is_archived_leaves_redis_when_its_time_has_come(
    ending: Ending, database: Database
) -> None:
    archiver = make(ending.store, database, keep_ms=0)
    await ending.completed()
    await EndingBatches(ending.store, ending.account.id).over()

    async with running(archiver):
        lists = keyspace.account_executions, batch_keys.account_batches
        keys = [key_of(ending.account.id) for key_of in lists]
        await eventually(lambda: ending.store.client.send("EXISTS", *keys), lambda left: left == 0)

    assert (count(database), count(database, batches)) == (1, 1)


async def test_rows_are_removed_when_their_retention_is_over(
    ending: Ending, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MARGIN_MS", 0)
    archiver = make(ending.store, database, keep_ms=0, days=0.000_001)
    await ending.completed()

    key = keyspace.account_executions(ending.account.id)
    async with running(archiver):
        await eventually(lambda: ending.store.client.send("ZCARD", key), lambda left: left == 0)
        await reach(lambda: count(database) == 0 and count(database, rollups) > 0)


async def test_it_tells_that_it_lives(archiver: Archiver, store: Store) -> None:
    assert (await ArchiverStates(store.client).read()).seen_at == 0

    await archiver.step()

    state = await ArchiverStates(store.client).read()
    assert abs(state.seen_at - await store.leases.now()) < 60_000
    assert state.error == ""


async def test_a_database_without_tables_is_told(store: Store, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    archiver = make(store, database)

    async with running(archiver):
        states = ArchiverStates(store.client)
        await eventually(lambda: states.read(), lambda state: "headrace migrate" in state.error)
    database.close()


async def test_another_database_than_before_gets_nothing(
    archiver: Archiver, ending: Ending, database: Database
) -> None:
    await ArchiverStates(ending.store.client).claim_database("another")
    await ending.completed()

    with pytest.raises(HistoryUnavailable) as caught:
        await archiver.step()

    assert "names another one" in caught.value.reason
    assert count(database) == 0


@pytest.mark.F60
async def test_redis_forgets_nothing_while_the_file_is_another_one(
    ending: Ending, tmp_path: Path, sqlite_template: Path
) -> None:
    path, moved = tmp_path / "history.sqlite", tmp_path / "moved"
    moved.mkdir()
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}", is_durable=True)
    archiver = make(ending.store, database, keep_ms=0)
    states = ArchiverStates(ending.store.client)
    key = keyspace.account_executions(ending.account.id)
    async with running(archiver):
        await ending.completed()
        await eventually(lambda: ending.store.client.send("ZCARD", key), lambda left: left == 0)
        for each in tmp_path.glob("history.sqlite*"):
            each.rename(moved / each.name)
        other = Database(f"sqlite:///{path}")
        migrate(other)
        for _ in range(10):
            await ending.completed()
        await eventually(lambda: states.read(), lambda state: state.error == ANOTHER_DATABASE)
        assert await ending.store.client.send("ZCARD", key) == 10
        assert count(other) == 0
        other.close()
        for each in [*tmp_path.glob("history.sqlite*")]:
            each.unlink()
        for each in moved.iterdir():
            each.rename(tmp_path / each.name)
        await eventually(lambda: ending.store.client.send("ZCARD", key), lambda left: left == 0)

    assert count(database) == 11
    database.close()


async def test_it_catches_up_after_the_database_was_away(
    ending: Ending, tmp_path: Path, sqlite_template: Path
) -> None:
    path = tmp_path / "history.sqlite"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    archiver = make(ending.store, database)
    states = ArchiverStates(ending.store.client)
    other = Database(f"sqlite:///{path}")
    with other.write() as connection:
        connection.execute(text("ALTER TABLE executions RENAME TO away"))
    async with running(archiver):
        names = [await ending.completed() for _ in range(3)]
        await eventually(lambda: states.read(), lambda state: bool(state.error))
        assert set(await EndedExecutions(ending.store.client).unarchived(10)) == set(names)
        with other.write() as connection:
            connection.execute(text("ALTER TABLE away RENAME TO executions"))
        await reach(lambda: count(database) == 3)
        await eventually(lambda: states.read(), lambda state: not state.error)
    for each in (database, other):
        each.close()


async def test_two_archivers_at_a_time_double_nothing(
    ending: Ending, database: Database, store: Store
) -> None:
    for _ in range(20):
        await ending.completed()

    archives = [ExecutionArchive(store, database) for _ in range(2)]
    await asyncio.gather(*(each.archive() for each in archives))

    assert count(database) == 20
    of_days = [row for row in table_rows(database, rollups) if row["bucket"] == "day"]
    assert {row["runs"] for row in of_days} == {20}


async def test_an_execution_that_is_not_listed_for_archiving_is_found(
    archiver: Archiver,
    ending: Ending,
    database: Database,
    store: Store,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(execution_archive, "SETTLED_MS", -1_000)
    await ending.completed()
    await store.client.send("DEL", keyspace.unarchived(partition_of(account.id)))

    for _ in range(partitions.count() + 1):
        await archiver.step()

    assert count(database) == 1
