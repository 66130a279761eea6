"""Watchers of an execution are notified at any node, and hints follow their executions."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.access.capabilities import Tier
from engine.settings import Settings
from engine.store import Store
from engine.store.dispatch.hints import WALK_QUEUE
from engine.store.executions.claim import Lease
from engine.store.executions.events import ProgressUpdate
from engine.store.redis import channels, keyspace
from engine.store.redis.cluster.routes import slot_of
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.redis.cluster import RedisCluster
from tests.support.redis.installation import SECRET_KEY
from tests.support.store.records import accept, save


@pytest.fixture
async def store(primaries: RedisCluster) -> AsyncIterator[Store]:
    store = Store.open(Settings(redis_url=primaries.address(), secret_key=SECRET_KEY))
    await store.learn_partitions()
    yield store
    await store.close()


def next_message(subscriber: Any) -> bytes:
    """Return the next message of a subscriber of the library."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        message = subscriber.get_message(ignore_subscribe_messages=True, timeout=1)
        if message is not None:
            return bytes(message["data"])
    raise AssertionError("no message")


async def test_a_watcher_at_another_node_is_notified_each_time(
    store: Store, primaries: RedisCluster
) -> None:
    account = await store.accounts.create(email="a@example.com", tier=Tier.PRO)
    workflow, plan = await save(store, account)
    accepted = await accept(store, account, workflow, plan)
    await store.walks.claim(keyspace.reference(account.id, accepted.id), "w1", "t")
    owner = primaries.shard_of(slot_of(keyspace.wallet(account.id)))
    channel = channels.notifier("gateway", is_cluster=True)
    with primaries.primary((owner + 1) % 3).client() as client:
        subscriber = client.pubsub()
        subscriber.subscribe(channel)
        subscriber.get_message(timeout=5)
        await store.events.read(account.id, accepted.id, 1, channel)

        for batch in (1, 2, 3):
            update = ProgressUpdate(index=0, item=0, offset=batch, content="a")
            lease = Lease(account.id, accepted.id, "w1", 1, "t")
            assert await store.events.publish(lease, batch, [update])
            assert next_message(subscriber) == f"events:{accepted.id}".encode()
        subscriber.close()


async def test_a_hint_is_sent_after_its_execution_is_accepted(store: Store) -> None:
    account = await store.accounts.create(email="a@example.com", tier=Tier.PRO)
    workflow, plan = await save(store, account)
    before = (await store.hints.depths([WALK_QUEUE]))[WALK_QUEUE]

    await accept(store, account, workflow, plan)

    assert not store.hints.shares_pipeline(store.client)  # two primaries keep no order

    async def depth() -> int:
        return (await store.hints.depths([WALK_QUEUE]))[WALK_QUEUE]

    await eventually(depth, (before + 1).__eq__)


async def test_hints_may_lie_on_a_redis_beside_the_cluster(
    store: Store, primaries: RedisCluster, redis_url: str
) -> None:
    beside = Store.open(
        Settings(redis_url=primaries.address(), queue_url=redis_url, secret_key=SECRET_KEY)
    )
    account = await beside.accounts.create(email="a@example.com", tier=Tier.PRO)
    workflow, plan = await save(beside, account)
    before = await store.hints.depths([WALK_QUEUE])

    await accept(beside, account, workflow, plan)

    async def depth() -> int:
        return (await beside.hints.depths([WALK_QUEUE]))[WALK_QUEUE]

    assert await eventually(depth, (1).__eq__) == 1
    assert await store.hints.depths([WALK_QUEUE]) == before
    await beside.close()
