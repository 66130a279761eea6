"""Retention of the history by tier."""

from copy import copy
from dataclasses import replace

import pytest

from engine.access.capabilities import Tier
from engine.access.tiers import Tiers
from engine.history.archiving.batches import write_batches
from engine.history.archiving.execution_writer import write_executions
from engine.history.database.connections import Database
from engine.history.retention import removal, retention
from engine.history.retention.retention import Retention
from engine.history.schema import batches, executions
from engine.ids.partitions import partition_of
from engine.media.objects import ObjectStore
from engine.settings import Settings
from engine.store import Account, NewItem, Store
from engine.store.executions.offload import OffloadedValues
from engine.store.redis import batch_keys
from tests.engine.history.archiving.test_batches import over
from tests.support.history.rows import DAY, HOUR, MINUTE, rows, table_rows
from tests.support.lists.store_lists import Lists


@pytest.fixture
async def other(store: Store) -> Account:
    return await store.accounts.create(email="b@example.com", tier=Tier.BUSINESS)


def with_days(store: Store, tier: Tier, days: float) -> Store:
    terms = store.tiers.by_tier[tier]
    changed = {**store.tiers.by_tier, tier: replace(terms, retention_days=days)}
    with_tiers = copy(store)
    with_tiers.tiers = Tiers(changed)
    return with_tiers


def kept(database: Database) -> set[str]:
    return {row["id"] for row in table_rows(database, executions)}


async def remove_all(keeper: Retention) -> None:
    while await keeper.remove():
        pass


async def test_each_tier_has_its_days(
    store: Store, account: Account, other: Account, database: Database
) -> None:
    now = await store.leases.now()
    found = {
        (owner.id, days): rows(account_id=owner.id, at=now - days * DAY - HOUR)
        for owner in (account, other)
        for days in (1, 5, 20)
    }
    write_executions(database, list(found.values()))
    store = with_days(store, account.tier, 3)

    await remove_all(Retention(store, database, retention_days=10, audit_days=365, keep_ms=0))

    expected = {(account.id, 1), (other.id, 1), (other.id, 5)}
    assert kept(database) == {found[key].execution["id"] for key in expected}


async def test_a_row_outlives_its_execution_in_redis(
    store: Store, account: Account, database: Database
) -> None:
    found = rows(account_id=account.id, at=await store.leases.now() - 5 * DAY)
    write_executions(database, [found])

    await remove_all(Retention(store, database, retention_days=1, audit_days=365, keep_ms=5 * DAY))

    assert kept(database) == {found.execution["id"]}


async def test_a_row_stays_ten_minutes_longer_than_redis_has_its_execution(
    store: Store, account: Account, database: Database
) -> None:
    now = await store.leases.now()
    found = [
        rows(account_id=account.id, at=now - 5 * DAY - minutes * MINUTE) for minutes in (5, 15)
    ]
    write_executions(database, found)
    store = with_days(store, account.tier, 1)

    await remove_all(Retention(store, database, retention_days=1, audit_days=365, keep_ms=5 * DAY))

    assert kept(database) == {found[0].execution["id"]}


async def test_an_account_has_its_turn_until_all_of_its_old_rows_are_removed(
    store: Store, account: Account, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (removal, retention):
        monkeypatch.setattr(module, "AT_ONCE", 2)
    now = await store.leases.now()
    write_executions(
        database, [rows(account_id=account.id, at=now - 9 * DAY - each) for each in range(5)]
    )
    store = with_days(store, account.tier, 1)

    await remove_all(Retention(store, database, retention_days=1, audit_days=365, keep_ms=0))

    assert kept(database) == set()


async def test_objects_go_with_their_executions(
    store: Store, account: Account, database: Database, settings: Settings
) -> None:
    found = rows(account_id=account.id, at=await store.leases.now() - 5 * DAY, has_objects=1)
    write_executions(database, [found])
    ids = account.id, found.execution["id"]
    blobs = OffloadedValues(store.client, ObjectStore.from_settings(settings))
    await blobs.put(*ids, "t.1.3", b"abc")
    assert await blobs.read(*ids, "t.1.3") == b"abc"

    await remove_all(Retention(store, database, retention_days=1, audit_days=365, keep_ms=0))

    with pytest.raises(FileNotFoundError):
        await blobs.read(*ids, "t.1.3")


async def test_batches_go_with_their_objects(
    store: Store, account: Account, database: Database, settings: Settings
) -> None:
    old, recent = await store.leases.now() - 5 * DAY, await store.leases.now()
    times = {"created": old, "completed": old + 1}
    with_objects = over(account.id, "old", c1=b"\xc1t.1.3", **times)
    write_batches(database, [with_objects, over(account.id, "new", created=recent)])
    blobs = OffloadedValues(store.client, ObjectStore.from_settings(settings))
    await blobs.put(account.id, "old", "t.1.3", b"abc")

    await remove_all(Retention(store, database, retention_days=1, audit_days=365, keep_ms=0))

    assert [row["id"] for row in table_rows(database, batches)] == ["new"]
    with pytest.raises(FileNotFoundError):
        await blobs.read(account.id, "old", "t.1.3")


async def test_replays_and_test_runs_go_with_their_objects_by_the_tier_of_their_account(
    store: Store, account: Account, other: Account, database: Database, settings: Settings
) -> None:
    objects = Store.open(settings, ObjectStore.from_settings(settings))
    store.offloaded = objects.offloaded
    now, ids = await store.leases.now(), {}
    for owner in (account, other):
        lists = Lists(objects, owner)
        for days in (1, 5):
            list_id = await lists.begin(items=[NewItem({"t": "x" * 300_000})], version=0)
            await lists.end(list_id)
            key = batch_keys.batch(owner.id, list_id)
            ended_at = now - days * DAY - HOUR
            await store.client.send("HSET", key, "completed", ended_at)
            listed = batch_keys.ended_lists(partition_of(owner.id))
            await store.client.send("ZADD", listed, ended_at, f"{owner.id}/{list_id}")
            ids[owner.id, days] = list_id
    some_days = with_days(store, account.tier, 3)

    await remove_all(Retention(some_days, database, retention_days=10, audit_days=365, keep_ms=0))

    left = {key for key, list_id in ids.items() if await store.lists.find(key[0], list_id)}
    assert left == {(account.id, 1), (other.id, 1), (other.id, 5)}
    gone = ids[account.id, 5]
    folder = f"outputs/{account.id}/{gone}/"
    assert [names async for names in objects.offloaded._blob_store.names(folder)] == []
    await objects.close()


async def test_accounts_are_taken_some_at_a_time(
    store: Store,
    account: Account,
    other: Account,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retention, "ACCOUNTS_AT_ONCE", 1)
    removal = Retention(store, database, retention_days=1, audit_days=365, keep_ms=0)

    assert [await removal.remove() for _ in range(3)] == [True, False, True]
