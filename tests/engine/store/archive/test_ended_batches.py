"""Batches leave Redis once nothing of them is open."""

import pytest

from engine.ids.partitions import partition_of
from engine.store import Account, Store
from engine.store.archive.ended_batches import EndedBatches
from engine.store.redis import batch_keys, keyspace
from tests.support.store.ended_batches import LATER, EndingBatches, id_of


@pytest.fixture
def ending(store: Store, account: Account) -> EndingBatches:
    return EndingBatches(store, account.id)


@pytest.fixture
def ended(store: Store) -> EndedBatches:
    return EndedBatches(store.client)


async def is_there(store: Store, reference: str) -> bool:
    key = batch_keys.batch(*keyspace.parse_reference(reference))
    return bool(await store.client.send("EXISTS", key))


async def test_an_archived_batch_is_forgotten(
    ending: EndingBatches, ended: EndedBatches, store: Store
) -> None:
    reference = await ending.over()
    assert await ended.unarchived(9) == [reference]
    assert (await ended.backlog()).count == 1
    [record] = await ended.records([reference, "acc_1/none"])
    assert (record.reference, record.fields["states"]) == (reference, b"cfx")
    now = await store.leases.now()

    await ended.mark_archived([reference], now)

    assert (await ended.unarchived(9), await ended.archived(now - 1, 9)) == ([], [])
    assert await ended.archived(now, 9) == [reference]
    assert await ended.forget(reference, "")
    assert not await is_there(store, reference)
    listed = batch_keys.account_batches(ending.account_id)
    assert await store.client.send("ZCARD", listed) == 0
    assert await ended.archived(LATER, 9) == []
    forgotten = keyspace.newest_forgotten(partition_of(ending.account_id), "batches")
    created = await store.client.send("HGET", forgotten, ending.account_id)
    assert created == record.fields["created"]


@pytest.mark.parametrize("reason", ["delivery", "open", "retried", "goes on"])
async def test_a_batch_stays_while_something_is_open(
    reason: str, ending: EndingBatches, ended: EndedBatches, store: Store
) -> None:
    reference = await ending.over()
    account_id, batch_id = keyspace.parse_reference(reference)
    key = batch_keys.batch(account_id, batch_id)
    match reason:
        case "delivery":
            delivery = keyspace.delivery(account_id, batch_id)
            await store.client.send("HSET", delivery, "status", "pending")
        case "open":
            await store.client.send("ZADD", batch_keys.open_batches(account_id), 1, batch_id)
        case "retried":
            await store.client.send("HSET", key, "retry", "another")
        case "goes on":
            await store.client.send("HDEL", key, "completed")
    await ended.mark_archived([reference], 1)

    assert not await ended.forget(reference, "")
    assert await is_there(store, reference)
    assert await ended.archived(1, 9) == [], "others come first"
    assert await ended.archived(LATER, 9) == [reference]


async def test_old_batches_go_where_there_is_no_history(
    ending: EndingBatches, ended: EndedBatches, store: Store
) -> None:
    old, with_objects = await ending.over(), await ending.over(retry_of="")
    key = batch_keys.batch(ending.account_id, id_of(with_objects))
    await store.client.send("HSET", key, "c0", b"\xc1name.7", "retry", "another")

    assert await ended.prune(1) == []
    assert await is_there(store, old)
    assert await ended.prune(LATER) == [with_objects]
    assert not await is_there(store, old)
    assert await ended.unarchived(9) == []
