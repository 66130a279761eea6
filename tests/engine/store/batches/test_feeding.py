"""Items of batches as scripts hand them out and count them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from engine.access.tiers import TierTerms
from engine.executions.batches import BatchStatus
from engine.ids.partitions import partition_of
from engine.store import Account, BatchAccepted, NewBatch, NewItem, Store
from engine.store.partitioned import due_lists
from engine.store.partitioned.due_lists import LEASE_MS
from engine.store.partitioned.taken_items import FeedState, TakenItems
from engine.store.redis import batch_keys, keyspace
from engine.store.redis.info import read_now

ERROR: Mapping[str, Any] = {"code": "WORKFLOW_NOT_FOUND", "message": "Workflow not found"}


@pytest.fixture
def terms(store: Store, account: Account) -> TierTerms:
    return store.tiers.terms(account.tier, account.role)


@pytest.fixture(autouse=True)
async def workflow(store: Store, account: Account) -> None:
    """Save the version that all batches run."""
    key = keyspace.workflow(account.id, "echo")
    await store.client.send("HSET", key, "state", "live", "version", 1, "d1", b"document")


async def begin(store: Store, account: Account, count: int, concurrency: int = 3) -> str:
    items: Sequence[NewItem] = [NewItem({"n": index}) for index in range(count)]
    new = NewBatch(
        account_id=account.id, slug="echo", version=1, items=items, concurrency=concurrency
    )
    assert isinstance(await store.batches.add(new), BatchAccepted)
    return new.batch_id


async def set_states(store: Store, account: Account, batch_id: str, states: str) -> None:
    key = batch_keys.batch(account.id, batch_id)
    await store.client.send("HSET", key, "states", states)


async def test_items_are_handed_out_in_order_within_the_concurrency(
    store: Store, account: Account, terms: TierTerms
) -> None:
    batch_id = await begin(store, account, 5)
    take = store.feeding.take

    assert await take(account.id, batch_id, "a", terms) == TakenItems(FeedState.ITEMS, [0, 1, 2])
    await set_states(store, account, batch_id, "cppqq")
    assert await take(account.id, batch_id, "a", terms) == TakenItems(FeedState.ITEMS, [3])
    await set_states(store, account, batch_id, "cpppq")
    assert await take(account.id, batch_id, "a", terms) == TakenItems(FeedState.FULL)
    await set_states(store, account, batch_id, "ccccp")
    assert await take(account.id, batch_id, "a", terms) == TakenItems(FeedState.BEGUN)


async def test_one_worker_alone_begins_items_until_it_ends_or_is_silent(
    store: Store, account: Account, terms: TierTerms
) -> None:
    batch_id = await begin(store, account, 5)
    take, key = store.feeding.take, batch_keys.batch(account.id, batch_id)

    await take(account.id, batch_id, "a", terms)
    held = await take(account.id, batch_id, "b", terms)
    until = int(await store.client.send("HGET", key, "feeder_until"))
    now = await read_now(store.client)
    await store.client.send("HSET", key, "feeder_until", now - 1)
    after_silence = await take(account.id, batch_id, "b", terms)
    await store.feeding.release(account.id, batch_id, "b")
    after_release = await take(account.id, batch_id, "c", terms)

    assert held == TakenItems(FeedState.HELD)
    assert 0 < until - now <= LEASE_MS
    assert after_silence == after_release == TakenItems(FeedState.ITEMS, [0, 1, 2])


async def test_the_last_failing_item_ends_the_batch_once(
    store: Store, account: Account, terms: TierTerms
) -> None:
    batch_id = await begin(store, account, 2)
    fail = store.feeding.fail

    assert await fail(account.id, batch_id, 0, ERROR)
    assert not await fail(account.id, batch_id, 0, ERROR)
    goes_on = await store.batches.get(account.id, batch_id)
    listed = batch_keys.open_batches(account.id)
    await store.client.send("ZREM", listed, batch_id)  # as when its last item has begun
    assert await fail(account.id, batch_id, 1, ERROR)
    batch = await store.batches.get(account.id, batch_id)

    assert await store.client.send("ZSCORE", listed, batch_id) is not None
    assert (goes_on.status, goes_on.states) == (BatchStatus.PROCESSING, "fq")
    assert (batch.status, batch.states) == (BatchStatus.COMPLETED, "ff")
    assert await store.batches.item_errors(account.id, batch_id, [0, 1]) == {0: ERROR, 1: ERROR}
    assert await store.feeding.take(account.id, batch_id, "a", terms) == TakenItems(FeedState.OVER)


async def test_a_settled_batch_waits_for_the_history(
    store: Store, account: Account, terms: TierTerms
) -> None:
    batch_id = await begin(store, account, 1)
    partition = partition_of(account.id)
    outbox = batch_keys.unarchived_batches(partition)
    await store.feeding.settle(account.id, batch_id)
    while_it_goes_on = await store.client.send("ZCARD", outbox)
    await store.feeding.fail(account.id, batch_id, 0, ERROR)

    await store.feeding.settle(account.id, batch_id)
    await store.feeding.settle(account.id, batch_id)

    assert while_it_goes_on == 0
    assert await store.client.send("ZRANGE", outbox, 0, -1) == [f"{account.id}/{batch_id}".encode()]
    assert await store.feeding.take(account.id, batch_id, "a", terms) == TakenItems(
        FeedState.SETTLED
    )


async def test_a_cancelled_batch_without_running_items_is_over_at_once(
    store: Store, account: Account, terms: TierTerms
) -> None:
    batch_id = await begin(store, account, 3)

    assert await store.batches.cancel(account.id, batch_id) is BatchStatus.CANCELLED
    assert not await store.feeding.fail(account.id, batch_id, 1, ERROR)

    batch = await store.batches.get(account.id, batch_id)
    assert (batch.states, batch.counts.cancelled) == ("xxx", 3)
    queued = await store.client.send("HGET", batch_keys.account_items(account.id), "queued")
    assert int(queued) == 0


async def test_accounts_with_many_batches_take_turns_with_others(
    store: Store, account: Account
) -> None:
    other = await store.accounts.create(email="other@example.com", tier=account.tier)
    key = keyspace.workflow(other.id, "echo")
    await store.client.send("HSET", key, "state", "live", "version", 1, "d1", b"document")
    for _ in range(30):
        await begin(store, account, 1)
    last = await begin(store, other, 1)
    now = await read_now(store.client) + 1

    due = await store.feeding.due.due_accounts(now)

    assert set(due.names) == {account.id, other.id}
    assert not due.has_more
    assert await store.feeding.due.due_lists(other.id, now) == [last]
    assert len(await store.feeding.due.due_lists(account.id, now)) == 8


async def test_a_search_takes_a_bounded_number_of_accounts(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_lists, "MOST_ACCOUNTS", 1)
    monkeypatch.setattr(due_lists, "LEAST_OF_PARTITION", 1)
    due = batch_keys.batches_due(partition_of(account.id))
    await store.client.send("ZADD", due, 1, account.id, 2, "acc_other")

    first = await store.feeding.due.due_accounts(5)
    second = await store.feeding.due.due_accounts(5)
    third = await store.feeding.due.due_accounts(5)

    assert (first.names, first.has_more) == ([account.id], True)
    assert (second.names, second.has_more) == (["acc_other"], False)
    assert (third.names, third.has_more) == ([], False)


async def test_queued_items_are_counted_over_all_accounts(
    store: Store, account: Account, terms: TierTerms
) -> None:
    assert await store.feeding.count_queued() == 0
    batch_id = await begin(store, account, 3)
    await begin(store, account, 4)

    counted = await store.feeding.count_queued()
    await store.batches.cancel(account.id, batch_id)

    assert counted == 7
    assert await store.feeding.count_queued() == 4


async def test_an_account_is_looked_at_when_its_first_batch_is_due(
    store: Store, account: Account, terms: TierTerms
) -> None:
    batch_id = await begin(store, account, 1)
    now = await read_now(store.client)
    await store.feeding.take(account.id, batch_id, "a", terms)
    due = batch_keys.batches_due(partition_of(account.id))

    await store.feeding.due.schedule_account(account.id, now)
    looked_again = float(await store.client.send("ZSCORE", due, account.id))
    open_key = batch_keys.open_batches(account.id)
    first = float(await store.client.send("ZSCORE", open_key, batch_id))
    await store.client.send("DEL", open_key)
    await store.feeding.due.schedule_account(account.id, now)

    assert looked_again == first > now
    assert await store.client.send("ZSCORE", due, account.id) is None
