import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from engine.errors import BatchNotFound, IdempotencyKeyReused, InvalidCursor, QuotaExceeded
from engine.executions.batches import MAX_QUEUED_ITEMS, BatchStatus
from engine.ids.executions import new_execution_id
from engine.ids.idempotency import IdempotencyKey
from engine.store import (
    Account,
    BatchAccepted,
    BatchRetried,
    IdempotentReplay,
    NewBatch,
    NewItem,
    Store,
)
from engine.store.batches.chunks import CHUNK_BYTES
from engine.store.redis import batch_keys, keyspace

SLUG = "echo"
KEY = IdempotencyKey(digest="d", fingerprint="f")


@pytest.fixture(autouse=True)
async def workflow(store: Store, account: Account) -> None:
    """Save the version that all batches run."""
    key = keyspace.workflow(account.id, SLUG)
    await store.client.send("HSET", key, "state", "live", "version", 1, "d1", b"document")


def some_items(count: int, size: int = 1) -> Sequence[NewItem]:
    return [NewItem({"text": f"{index}" + "x" * size}, (f"t{index}",)) for index in range(count)]


def batch(account: Account, items: Sequence[NewItem], **members: Any) -> NewBatch:
    return NewBatch(account_id=account.id, slug=SLUG, version=1, items=items, **members)


async def queued(store: Store, account: Account) -> int:
    return int(await store.client.send("HGET", batch_keys.account_items(account.id), "queued") or 0)


async def test_an_accepted_batch_is_on_record_with_its_items(
    store: Store, account: Account
) -> None:
    new = batch(account, some_items(3), tags=("a", "b"), key_id="key_1", concurrency=7)

    accepted = await store.batches.add(new)
    found = await store.batches.get(account.id, new.batch_id)

    assert accepted == BatchAccepted(new.batch_id, 3, found.created_at)
    assert (found.slug, found.version, found.key_id, found.tags) == (SLUG, 1, "key_1", ("a", "b"))
    assert (found.status, found.states, found.concurrency) == (BatchStatus.PROCESSING, "qqq", 7)
    assert (found.counts.queued, found.size, found.credits, found.completed_at) == (3, 3, 0, None)
    assert await store.batches.item_states(account.id, new.batch_id) == "qqq"
    assert await store.batches.item_errors(account.id, new.batch_id, [0, 1]) == {}
    assert await store.batches.items(account.id, new.batch_id, [0, 2]) == {
        0: NewItem({"text": "0x"}, ("t0",)),
        2: NewItem({"text": "2x"}, ("t2",)),
    }


async def test_a_batch_of_another_account_or_id_is_not_found(
    store: Store, account: Account
) -> None:
    accepted = await store.batches.add(batch(account, some_items(1)))
    assert isinstance(accepted, BatchAccepted)

    for account_id, batch_id in (
        ("acc_other", accepted.batch_id),
        (account.id, new_execution_id()),
        (account.id, "none"),
    ):
        with pytest.raises(BatchNotFound):
            await store.batches.get(account_id, batch_id)
    with pytest.raises(BatchNotFound):
        await store.batches.item_states(account.id, new_execution_id())


async def test_items_of_many_chunks_are_found_by_index(store: Store, account: Account) -> None:
    items = some_items(40, size=CHUNK_BYTES // 20)
    new = batch(account, items)
    await store.batches.add(new)

    found = await store.batches.items(account.id, new.batch_id, range(40))

    assert [found[index] for index in range(40)] == list(items)
    chunks = await store.client.send("HGET", batch_keys.batch(account.id, new.batch_id), "chunks")
    assert len(chunks.split(b",")) > 2


async def test_a_repeated_call_gets_the_first_batch(store: Store, account: Account) -> None:
    new = batch(account, some_items(2), idempotency_key=KEY, answer="said")
    again = batch(account, some_items(2), idempotency_key=KEY)
    accepted = await store.batches.add(new)

    assert await store.batches.add(new) == accepted  # its reply was lost
    assert await store.batches.add(again) == IdempotentReplay(KEY, new.batch_id, "said")
    other = IdempotencyKey(digest="d", fingerprint="other")
    with pytest.raises(IdempotencyKeyReused):
        await store.batches.add(batch(account, some_items(1), idempotency_key=other))
    assert await queued(store, account) == 2


async def test_an_account_has_a_bound_of_queued_items(store: Store, account: Account) -> None:
    key = batch_keys.account_items(account.id)
    await store.client.send("HSET", key, "queued", MAX_QUEUED_ITEMS - 2)

    await store.batches.add(batch(account, some_items(2)))
    with pytest.raises(QuotaExceeded):
        await store.batches.add(batch(account, some_items(1)))

    assert await queued(store, account) == MAX_QUEUED_ITEMS


async def test_pages_list_batches_newest_first(store: Store, account: Account) -> None:
    ids = []
    for _ in range(5):
        new = batch(account, some_items(1))
        await store.batches.add(new)
        ids.append(new.batch_id)
        await asyncio.sleep(0.002)

    seen, cursor = [], None
    while True:
        page = await store.batches.page(account.id, 2, cursor)
        seen += [each.id for each in page.batches]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == ids[::-1]
    with pytest.raises(InvalidCursor):
        await store.batches.page(account.id, 2, "nonsense")


async def test_a_batch_is_retried_once_after_its_end(store: Store, account: Account) -> None:
    former = batch(account, some_items(2))
    await store.batches.add(former)
    again, once_more = (batch(account, some_items(1), retry_of=former.batch_id) for _ in range(2))

    assert await store.batches.begin_retry(again) is None  # it goes on
    await store.client.send(
        "HSET", batch_keys.batch(account.id, former.batch_id), "status", "completed"
    )
    accepted = await store.batches.begin_retry(again)
    retried = await store.batches.begin_retry(once_more)

    assert isinstance(accepted, BatchAccepted)
    assert retried == BatchRetried(again.batch_id)
    assert (await store.batches.get(account.id, again.batch_id)).retry_of == former.batch_id
    assert (await store.batches.get(account.id, former.batch_id)).retry == again.batch_id
