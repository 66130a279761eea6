"""Ended deliveries in the history."""

import pytest

from engine.history.archiving.deliveries import parse_delivery_record, write_deliveries
from engine.history.database.connections import Database
from engine.history.schema import deliveries
from engine.store import Account, Store
from engine.store.archive.ended_deliveries import EndedDeliveries
from engine.store.redis import keyspace
from engine.webhooks.deliveries import DeliveryStatus
from tests.support.history.rows import table_rows
from tests.support.store.ended import URL, Ending


@pytest.fixture
async def ending(store: Store, account: Account) -> Ending:
    return await Ending.of(store, account)


@pytest.fixture
def ended(store: Store) -> EndedDeliveries:
    return EndedDeliveries(store.client)


@pytest.fixture
async def delivered(ending: Ending) -> str:
    """The reference of an execution whose webhook has got its end."""
    key_id = await ending.with_webhook()
    reference = await ending.completed(key_id=key_id, webhook_url=URL)
    await ending.deliver(reference)
    return reference


async def redeliver(ending: Ending, reference: str, status: DeliveryStatus) -> None:
    account_id, delivery_id = keyspace.parse_reference(reference)
    key_id = await ending.store.client.send(
        "HGET", keyspace.delivery(account_id, delivery_id), "key"
    )
    await ending.store.deliveries.redeliver(account_id, key_id.decode(), delivery_id)
    await ending.deliver(reference, status)


async def test_a_delivery_is_written_as_redis_had_it(
    ended: EndedDeliveries, delivered: str, ending: Ending, database: Database
) -> None:
    names = await ended.unarchived(10)
    records = await ended.records(names)

    for _ in range(2):
        write_deliveries(database, records)

    (row,) = table_rows(database, deliveries)
    assert names == [f"{delivered}/1"]
    assert parse_delivery_record(row["record"]) == records[0].fields
    assert (row["status"], row["event"], row["url"]) == ("delivered", "execution.completed", URL)
    assert (row["attempts"], row["fence"]) == (1, 1)
    assert f"{row['account_id']}/{row['execution_id']}" == delivered
    assert row["settled_at"] >= row["created_at"]


async def test_a_later_end_replaces_an_earlier_one_and_never_the_other_way_round(
    ended: EndedDeliveries, delivered: str, ending: Ending, database: Database
) -> None:
    first = await ended.records(await ended.unarchived(10))
    await ended.mark_archived(await ended.unarchived(10), 1)
    await redeliver(ending, delivered, DeliveryStatus.FAILED)
    second = await ended.records(await ended.unarchived(10))

    for each in (first, second, first):
        write_deliveries(database, each)

    (row,) = table_rows(database, deliveries)
    assert (row["status"], row["fence"], row["attempts"]) == ("failed", 2, 2)


async def test_a_delivery_that_is_due_again_is_not_read(
    ended: EndedDeliveries, delivered: str, ending: Ending
) -> None:
    account_id, delivery_id = keyspace.parse_reference(delivered)
    key = keyspace.delivery(account_id, delivery_id)
    await ending.store.client.send("HSET", key, "status", "pending")

    assert await ended.records(await ended.unarchived(10)) == []


async def test_nothing_is_written_of_no_deliveries(database: Database) -> None:
    write_deliveries(database, [])

    assert table_rows(database, deliveries) == []


async def test_an_archived_delivery_is_forgotten_once_its_time_has_come(
    ended: EndedDeliveries, delivered: str, ending: Ending
) -> None:
    names = await ended.unarchived(10)

    await ended.mark_archived(names, 1_000)

    assert (await ended.backlog()).count == 0
    assert await ended.archived(999, 10) == []
    assert await ended.archived(1_000, 10) == names
    assert await ended.forget(names[0])
    assert await ending.store.client.send("EXISTS", keyspace.delivery(*delivered.split("/"))) == 0
    assert await ended.archived(1_000, 10) == []


async def test_a_delivery_with_a_later_attempt_is_not_forgotten(
    ended: EndedDeliveries, delivered: str, ending: Ending
) -> None:
    names = await ended.unarchived(10)
    await ended.mark_archived(names, 1_000)
    await redeliver(ending, delivered, DeliveryStatus.DELIVERED)

    assert not await ended.forget(names[0])
    assert await ended.unarchived(10) == [f"{delivered}/2"]
