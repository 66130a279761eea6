"""Deliveries over Redis and the history."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from engine.errors import NotFound, Unavailable
from engine.history.archiving.deliveries import write_deliveries
from engine.history.database.connections import Database
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.archive.ended_deliveries import EndedDeliveries
from engine.store.redis import keyspace
from engine.webhooks.deliveries import Delivery, DeliveryStatus
from tests.support.history.archived import History, opened, silent_archive
from tests.support.store.ended import Ending

FAILED, DELIVERED, PENDING = (
    DeliveryStatus.FAILED,
    DeliveryStatus.DELIVERED,
    DeliveryStatus.PENDING,
)


@pytest.fixture
async def history(settings: Settings, database: Database) -> AsyncIterator[History]:
    async with opened(settings, database) as history:
        yield history


@pytest.fixture
async def ending(history: History, account: Account) -> Ending:
    return await Ending.of(history.store, account)


@pytest.fixture
async def key_id(ending: Ending) -> str:
    return await ending.with_webhook()


async def deliver(ending: Ending, key_id: str, *statuses: DeliveryStatus) -> list[str]:
    """Return ids of deliveries that ended so, oldest first."""
    found = []
    for status in statuses:
        reference = await ending.completed(key_id=key_id, webhook_url="https://example.com/hook")
        if status is not PENDING:
            await ending.deliver(reference, status)
        found.append(keyspace.parse_reference(reference)[1])
    return found


async def move(history: History, *delivery_ids: str) -> None:
    """Leave ended deliveries to the database alone."""
    ended = EndedDeliveries(history.store.client)
    listed = await ended.unarchived(100)
    names = [each for each in listed if each.split("/")[1] in delivery_ids]
    assert len(names) == len(delivery_ids)
    write_deliveries(history.database, await ended.records(names))
    await ended.mark_archived(names, 1)
    for name in names:
        assert await ended.forget(name)


async def read_all(
    store: Store, account: Account, key_id: str, status: DeliveryStatus | None = None
) -> list[Delivery]:
    found: list[Delivery] = []
    cursor = None
    while True:
        rows, cursor = await store.deliveries.list(
            account.id, key_id, limit=2, after=cursor, status=status
        )
        assert len(rows) <= 2
        found += rows
        if cursor is None:
            return found


async def test_a_list_is_the_same_wherever_deliveries_are(
    history: History, ending: Ending, account: Account, key_id: str
) -> None:
    statuses = [DELIVERED, FAILED, PENDING, FAILED, DELIVERED, DELIVERED, FAILED]
    ids = await deliver(ending, key_id, *statuses)
    filters = (None, DELIVERED, FAILED, PENDING)
    before = {each: await read_all(history.store, account, key_id, each) for each in filters}
    one = await history.store.deliveries.find(account.id, ids[1])

    await move(history, ids[0], ids[1], ids[4])

    assert {
        each: await read_all(history.store, account, key_id, each) for each in filters
    } == before
    assert await history.store.deliveries.find(account.id, ids[1]) == one
    assert await history.store.deliveries.get(account.id, key_id, ids[1]) == one


async def test_an_archived_delivery_can_be_sent_again(
    history: History, ending: Ending, account: Account, key_id: str
) -> None:
    [delivery_id] = await deliver(ending, key_id, FAILED)
    await move(history, delivery_id)

    sent = await history.store.deliveries.redeliver(account.id, key_id, delivery_id)

    assert (sent.status, len(sent.attempts)) == (PENDING, 1)
    assert await read_all(history.store, account, key_id) == [sent]
    assert await read_all(history.store, account, key_id, FAILED) == []
    await ending.deliver(keyspace.reference(account.id, delivery_id), DELIVERED)
    again = await history.store.deliveries.find(account.id, delivery_id)
    assert (again.status, len(again.attempts)) == (DELIVERED, 2)
    await move(history, delivery_id)
    assert await history.store.deliveries.find(account.id, delivery_id) == again


async def test_archived_deliveries_are_sent_again_with_the_others(
    history: History, ending: Ending, account: Account, key_id: str
) -> None:
    ids = await deliver(ending, key_id, FAILED, DELIVERED, FAILED, DELIVERED)
    await move(history, ids[0], ids[1])

    done = await history.store.redelivery.redeliver_since(account.id, key_id, 0, FAILED)

    assert (done.count, done.next_since) == (2, None)
    found = await read_all(history.store, account, key_id, PENDING)
    assert [each.id for each in found] == [ids[2], ids[0]]


async def test_only_what_the_database_has_is_unavailable_while_it_is_away(
    history: History, ending: Ending, account: Account, key_id: str, settings: Settings
) -> None:
    ids = await deliver(ending, key_id, DELIVERED)
    await asyncio.sleep(0.002)  # creation times decide which rows need the database
    ids += await deliver(ending, key_id, DELIVERED)
    await move(history, ids[0])
    away = Store.open(settings, None, silent_archive())

    rows, cursor = await away.deliveries.list(account.id, key_id, limit=5)

    assert [each.id for each in rows] == [ids[1]]
    assert (await away.deliveries.find(account.id, ids[1])).id == ids[1]
    with pytest.raises(Unavailable):
        await away.deliveries.list(account.id, key_id, limit=5, after=cursor)
    with pytest.raises(Unavailable):
        await away.deliveries.find(account.id, ids[0])
    await away.close()


async def test_deliveries_of_others_are_not_found(
    history: History, ending: Ending, account: Account, key_id: str
) -> None:
    [delivery_id] = await deliver(ending, key_id, DELIVERED)
    await move(history, delivery_id)

    with pytest.raises(NotFound):
        await history.store.deliveries.find("acc_other", delivery_id)
    with pytest.raises(NotFound):
        await history.store.deliveries.get(account.id, "key_other", delivery_id)
