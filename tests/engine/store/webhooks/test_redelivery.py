"""Redelivery since a time: oldest first, in parts, none twice and none left out."""

import pytest

from engine.errors import InvalidWebhook, NotFound
from engine.store import Account, Store
from engine.store.dispatch.hints import DELIVER_QUEUE
from engine.store.redis import keyspace, process_keys
from engine.store.webhooks import redelivery
from engine.webhooks.deliveries import DeliveryStatus

KEY = "key_1"
START = 4_000_000_000_000
"""A time that is not long ago, since a list forgets old deliveries."""


async def add(store: Store, account: Account, at: int, status: str = "failed") -> str:
    """Add a delivery that was created some milliseconds after the start."""
    webhook = await store.webhooks.get(account.id, KEY)
    made = await store.deliveries.add_test(account.id, KEY, webhook)
    await store.client.send("HSET", keyspace.delivery(account.id, made.id), "status", status)
    await store.client.send(
        "ZADD", keyspace.webhook_deliveries(account.id, KEY), START + at, made.id
    )
    return made.id


async def status_of(store: Store, account: Account, delivery_id: str) -> DeliveryStatus:
    return (await store.deliveries.find(account.id, delivery_id)).status


@pytest.fixture(autouse=True)
async def webhook(store: Store, account: Account) -> None:
    await store.client.send("HSET", keyspace.account_api_keys(account.id), KEY, "digest")
    await store.webhooks.save(account.id, KEY, url="https://example.com/hook")


async def test_deliveries_before_the_time_are_left_alone(store: Store, account: Account) -> None:
    before, at, after = [await add(store, account, each) for each in (999, 1_000, 1_001)]

    done = await store.redelivery.redeliver_since(account.id, KEY, START + 1_000)

    assert (done.count, done.next_since) == (2, None)
    statuses = [await status_of(store, account, each) for each in (before, at, after)]
    assert statuses == ["failed", "pending", "pending"]


@pytest.mark.parametrize("limit", ["AT_MOST", "EXAMINED_AT_MOST"])
async def test_calls_that_continue_send_each_delivery_once(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    times = [1, 2, 2, 2, 3, 5, 5, 8]
    for at in times:
        await add(store, account, at)
    monkeypatch.setattr(redelivery, limit, 4)
    counts, since = [], START

    while True:
        done = await store.redelivery.redeliver_since(account.id, KEY, since)
        counts.append(done.count)
        if done.next_since is None:
            break
        since = done.next_since

    assert sum(counts) == len(times)
    assert max(counts) <= 4


async def test_more_deliveries_of_one_millisecond_than_a_call_may_send_are_sent(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        await add(store, account, 7)
    await add(store, account, 9)
    monkeypatch.setattr(redelivery, "AT_MOST", 2)

    first = await store.redelivery.redeliver_since(account.id, KEY, START)
    last = await store.redelivery.redeliver_since(account.id, KEY, START + 9)

    assert (first.count, first.next_since) == (5, START + 9)
    assert (last.count, last.next_since) == (1, None)


async def test_a_millisecond_with_more_deliveries_than_are_examined_moves_on(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in (7, 7, 7, 9):
        await add(store, account, at)
    monkeypatch.setattr(redelivery, "EXAMINED_AT_MOST", 2)

    first = await store.redelivery.redeliver_since(account.id, KEY, START)
    last = await store.redelivery.redeliver_since(account.id, KEY, START + 8)

    assert (first.count, first.next_since) == (3, START + 8)
    assert (last.count, last.next_since) == (1, None)


async def test_a_status_chooses_among_them(store: Store, account: Account) -> None:
    failed = await add(store, account, 1)
    delivered = await add(store, account, 2, "delivered")

    done = await store.redelivery.redeliver_since(account.id, KEY, START, DeliveryStatus.FAILED)

    assert done.count == 1
    assert await status_of(store, account, failed) == "pending"
    assert await status_of(store, account, delivered) == "delivered"


async def test_deliveries_that_are_gone_are_not_counted(store: Store, account: Account) -> None:
    gone = await add(store, account, 1)
    await store.client.send("DEL", keyspace.delivery(account.id, gone))

    assert (await store.redelivery.redeliver_since(account.id, KEY, START)).count == 0


async def test_each_is_hinted(store: Store, account: Account) -> None:
    made = await add(store, account, 1)
    await store.client.send("DEL", process_keys.hints(DELIVER_QUEUE))

    await store.redelivery.redeliver_since(account.id, KEY, START)

    hints = await store.client.send("LRANGE", process_keys.hints(DELIVER_QUEUE), 0, -1)
    assert [made.encode() in each for each in hints] == [True]


async def test_nothing_is_sent_to_a_webhook_that_is_disabled_or_gone(
    store: Store, account: Account
) -> None:
    made = await add(store, account, 1)
    await store.webhooks.save(account.id, KEY, url="https://example.com/hook", enabled=False)
    with pytest.raises(InvalidWebhook):
        await store.redelivery.redeliver_since(account.id, KEY, START)
    await store.webhooks.delete(account.id, KEY)
    with pytest.raises(NotFound):
        await store.redelivery.redeliver_since(account.id, KEY, START)

    assert await status_of(store, account, made) == "failed"
