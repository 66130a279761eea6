"""Media of an archived execution stay, although Redis has forgotten the execution."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from engine.errors import Unavailable
from engine.history.archiving.execution_archive import ExecutionArchive
from engine.history.database.connections import Database
from engine.history.database.identity import read_database_id
from engine.history.errors import HistoryUnavailable
from engine.history.reading.archive import HistoryArchive, open_archive
from engine.history.retention.removal import remove_executions
from engine.media.objects import ObjectStore
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.archive.archive import OpenArchive
from engine.store.archive.no_archive import NoArchive
from engine.store.archive.state import ArchiverStates
from engine.store.media import AssetReview
from engine.store.redis import keyspace
from tests.engine.store.test_media import kept, let_pass
from tests.support.history.archived import none_installed, reading
from tests.support.history.databases import copy_sqlite
from tests.support.store.ended import Ending


@pytest.fixture
async def forgotten(store: Store, account: Account, database: Database) -> str:
    """The id of an execution that is in the history alone."""
    reference = await (await Ending.of(store, account)).completed()
    with database.read() as connection:
        await ArchiverStates(store.client).claim_database(read_database_id(connection))
    archive = ExecutionArchive(store, database)
    await archive.archive()
    later = await store.leases.now() + 60_000
    for partition in range(16):
        await archive.forget(partition, later)
    ids = keyspace.parse_reference(reference)
    assert await store.client.send("EXISTS", keyspace.execution(*ids)) == 0
    return ids[1]


def with_archive(settings: Settings, archive: OpenArchive) -> Store:
    return Store.open(settings, ObjectStore.from_settings(settings), archive)


async def test_executions_are_known_by_account(
    account: Account, forgotten: str, database: Database
) -> None:
    lookup = HistoryArchive(lambda: database, none_installed)

    ids = [(account.id, forgotten), (account.id, "other"), ("other", forgotten)]
    assert await lookup.known(ids) == {(account.id, forgotten)}
    assert await lookup.known([]) == set()


async def test_without_a_database_nothing_is_known(settings: Settings) -> None:
    assert isinstance(open_archive(settings)(none_installed), NoArchive)
    assert await NoArchive(none_installed).known([("a", "b")]) == set()
    there = replace(settings, database_url="postgresql://nobody@127.0.0.1:1/none")
    away = open_archive(there)(none_installed)
    with pytest.raises(HistoryUnavailable):
        await away.known([("a", "b")])


async def test_large_values_of_an_archived_execution_outlive_a_search_for_unneeded_ones(
    account: Account, forgotten: str, database: Database, settings: Settings
) -> None:
    store = with_archive(settings, reading(database))
    await store.offloaded.put(account.id, forgotten, "t.1.3", b"abc")
    await store.offloaded.put(account.id, "unknown", "t.1.3", b"abc")

    assert await store.offloaded.sweep() == 1

    assert await store.offloaded.read(account.id, forgotten, "t.1.3") == b"abc"
    remove_executions(database, account.id, None)
    assert await store.offloaded.sweep() == 1
    await store.close()


async def test_nothing_is_removed_before_it_is_known_which_database_has_the_history(
    account: Account, forgotten: str, database: Database, settings: Settings
) -> None:
    store = with_archive(settings, reading(database))
    await store.client.send("DEL", keyspace.history())
    await store.offloaded.put(account.id, forgotten, "t.1.3", b"abc")
    await store.offloaded.put(account.id, "unknown", "t.1.3", b"abc")

    with pytest.raises(Unavailable):
        await store.offloaded.sweep()

    assert await store.offloaded.read(account.id, "unknown", "t.1.3") == b"abc"
    await store.close()


async def test_an_asset_of_an_archived_execution_is_kept_until_its_row_is_gone(
    account: Account, forgotten: str, database: Database, settings: Settings
) -> None:
    store = with_archive(settings, reading(database))
    asset = await kept(store, account)
    await store.assets.retain(account.id, asset.id, forgotten)
    await let_pass(store, asset)

    assert await store.assets.review(asset.id) is AssetReview.EXTENDED

    remove_executions(database, account.id, None)
    await let_pass(store, asset)
    assert await store.assets.review(asset.id) is AssetReview.HIDDEN
    await store.close()


async def open_without(
    settings: Settings, kind: str, tmp_path: Path, sqlite_template: Path
) -> Store:
    """Open the store of a process without the history's database, or with another one."""
    if kind == "none":
        return Store.open(settings, ObjectStore.from_settings(settings))
    other = Database(copy_sqlite(sqlite_template, tmp_path / "other"))
    with other.write() as connection:
        connection.execute(text("UPDATE archive_state SET value = 'another'"))
    return with_archive(settings, reading(other))


@pytest.mark.parametrize("kind", ["none", "another"])
async def test_a_process_without_the_database_removes_and_reviews_nothing(
    account: Account,
    forgotten: str,
    settings: Settings,
    store: Store,
    kind: str,
    tmp_path: Path,
    sqlite_template: Path,
) -> None:
    (tmp_path / "other").mkdir()
    without = await open_without(settings, kind, tmp_path, sqlite_template)
    await store.offloaded.put(account.id, forgotten, "t.1.3", b"abc")
    asset = await kept(store, account)
    await store.assets.retain(account.id, asset.id, forgotten)
    await let_pass(store, asset)

    with pytest.raises(Unavailable):
        await without.offloaded.sweep()
    with pytest.raises(Unavailable):
        await without.assets.review(asset.id)
    with pytest.raises(Unavailable):
        await without.executions.head(account.id, forgotten)
    with pytest.raises(Unavailable):
        await without.archive.require()

    assert await store.offloaded.read(account.id, forgotten, "t.1.3") == b"abc"
    assert await store.assets.get(account.id, asset.id)
    await without.close()
