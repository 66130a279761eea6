"""Batches that Redis has forgotten are read, listed and retried like others."""

import time
from collections.abc import AsyncIterator

import pytest

from engine.errors import BatchNotFound, Unavailable
from engine.history.archiving.batch_archive import BatchArchive
from engine.history.database.connections import Database
from engine.history.database.identity import read_database_id
from engine.media.objects import ObjectStore
from engine.settings import Settings
from engine.store import Account, BatchAccepted, BatchRetried, NewBatch, NewItem, Store
from engine.store.archive.ended_batches import EndedBatches
from engine.store.redis import batch_keys
from tests.support.history.archived import opened, reading, silent_archive
from tests.support.store.ended_batches import ERROR, ITEMS, LATER, STATES, EndingBatches, id_of


@pytest.fixture
async def ending(
    settings: Settings, database: Database, account: Account
) -> AsyncIterator[EndingBatches]:
    async with opened(settings, database) as history:
        yield EndingBatches(history.store, account.id)


async def listed(store: Store, account_id: str, limit: int = 2) -> list[str]:
    """Return the ids of all pages."""
    found: list[str] = []
    cursor = None
    while True:
        page = await store.batches.page(account_id, limit, cursor)
        assert len(page.batches) <= limit
        found += [each.id for each in page.batches]
        cursor = page.next_cursor
        if cursor is None:
            return found


async def test_a_batch_is_the_same_in_redis_and_in_the_history(
    ending: EndingBatches, database: Database
) -> None:
    batches, account_id = ending.store.batches, ending.account_id
    reference = await ending.over(tags=("a, b", "c"), key_id="key_1", retry_of="")
    before = await batches.get(account_id, id_of(reference))

    await ending.move(database, reference)

    batch_id = id_of(reference)
    key = batch_keys.batch(account_id, batch_id)
    assert not await ending.store.client.send("EXISTS", key)
    assert await batches.get(account_id, batch_id) == before
    assert await batches.item_states(account_id, batch_id) == STATES
    assert await batches.item_errors(account_id, batch_id, [0, 1]) == {1: ERROR}
    assert await batches.items(account_id, batch_id, [0, 2]) == {0: ITEMS[0], 2: ITEMS[2]}
    assert (await batches.page(account_id, 9)).batches == [before]
    with pytest.raises(BatchNotFound):
        await batches.get("acc_2", batch_id)


async def test_large_items_of_a_forgotten_batch_stay_in_the_media_store(
    settings: Settings, database: Database, account: Account
) -> None:
    blobs = ObjectStore.from_settings(settings)
    store = Store.open(settings, blobs, reading(database))
    ending, items = EndingBatches(store, account.id), [NewItem({"text": "x" * 300_000})]
    reference = await ending.over(items=items)
    await ending.move(database, reference)
    gone = await ending.over(items=items)
    await store.client.send("DEL", batch_keys.batch(account.id, id_of(gone)))
    later = int(time.time()) + 86_400
    with database.read() as connection:
        await store.archiver_states.claim_database(read_database_id(connection))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: later)
        removed = await store.offloaded.sweep()

    assert removed == 1, "what no record names"
    assert await store.batches.items(account.id, id_of(reference), [0]) == {0: items[0]}
    await store.close()


@pytest.mark.parametrize("moved", [[], [0], [4, 2], [0, 1, 2, 3, 4, 5, 6]], ids=repr)
async def test_pages_are_those_of_one_list(
    moved: list[int], ending: EndingBatches, database: Database
) -> None:
    names = [await ending.over(created=1_000_000 + number // 3) for number in range(7)]
    right = await listed(ending.store, ending.account_id)
    assert {*right} == {id_of(each) for each in names}

    await ending.move(database, *(names[each] for each in moved))

    for limit in (1, 2, 3, 6, 7, 8):
        assert await listed(ending.store, ending.account_id, limit) == right


async def test_newer_batches_are_listed_while_the_history_is_away(
    ending: EndingBatches, database: Database, settings: Settings
) -> None:
    names = [await ending.over(created=1_000_000 + number) for number in range(4)]
    await ending.move(database, names[1])
    away = Store.open(settings, None, silent_archive())

    page = await away.batches.page(ending.account_id, 9)

    assert [each.id for each in page.batches] == [id_of(names[3]), id_of(names[2])]
    assert page.next_cursor is not None
    for call in (
        away.batches.page(ending.account_id, 9, page.next_cursor),
        away.batches.get(ending.account_id, id_of(names[1])),
    ):
        with pytest.raises(Unavailable):
            await call
    await away.close()


async def test_a_forgotten_batch_is_retried_once(ending: EndingBatches, database: Database) -> None:
    store, account_id = ending.store, ending.account_id
    reference = await ending.over()
    await ending.move(database, reference)
    former = id_of(reference)

    def again() -> NewBatch:
        return NewBatch(
            account_id=account_id, slug="echo", version=3, items=ITEMS[1:2], retry_of=former
        )

    first = await store.batches.begin_retry(again())
    assert isinstance(first, BatchAccepted)
    assert await store.batches.begin_retry(again()) == BatchRetried(first.batch_id)
    assert not await EndedBatches(store.client).forget(reference, ""), "it was retried since"
    for _ in range(2):
        assert (await store.batches.get(account_id, former)).retry == first.batch_id
        await forget(ending, database)

    assert await EndedBatches(store.client).archived(LATER, 9) == []
    assert not await store.client.send("EXISTS", batch_keys.batch(account_id, former))
    assert await store.batches.begin_retry(again()) == BatchRetried(first.batch_id)


async def forget(ending: EndingBatches, database: Database) -> None:
    """Let Redis forget what is archived, as the archiver does."""
    await BatchArchive(ending.store, database).forget(LATER)
