"""A primary that becomes a replica while its connections stay open."""

from collections.abc import AsyncIterator

import pytest

from engine.access.capabilities import Tier
from engine.errors import Unavailable
from engine.settings import Settings
from engine.store import CompletionNotifier, Store
from engine.store.redis import subscription
from engine.store.redis.address import RedisAddress
from engine.store.redis.client import Client
from engine.store.redis.heartbeat import Heartbeat
from tests.support.eventually import eventually
from tests.support.redis.failover import Pair, running_pair
from tests.support.store.records import accept, save


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    async with running_pair() as started:
        yield started


async def test_a_client_finds_the_new_primary(pair: Pair) -> None:
    await pair.follow()
    store = Store.open(Settings(redis_url=pair.proxy.url))
    account = await store.accounts.create(email="a@example.com", tier=Tier.PRO)
    workflow, plan = await save(store, account)
    await pair.hand_over()

    with pytest.raises(Unavailable) as caught:
        await accept(store, account, workflow, plan)
    accepted = await accept(store, account, workflow, plan)

    assert caught.value.word == "READONLY"
    claimed = await store.walks.claim(f"{account.id}/{accepted.id}", "w1")
    assert claimed is not None
    await store.close()


async def test_a_client_does_not_stay_with_a_replica_that_the_address_still_names(
    pair: Pair,
) -> None:
    client = Client(RedisAddress.parse(pair.proxy.url))
    await client.send("SET", "a", 1)
    await pair.fail_over()
    pair.proxy.move(pair.old.url)  # the name is updated late

    for _ in range(3):
        with pytest.raises(Unavailable):
            await client.send("SET", "a", 2)
    pair.proxy.move(pair.new.url)

    assert await client.send("SET", "a", 2) == b"OK"
    await client.close()


async def test_a_heartbeat_finds_the_new_primary(pair: Pair) -> None:
    heartbeat = Heartbeat(RedisAddress.parse(pair.proxy.url), "w1", 0.3)
    heartbeat.start()
    new = Store.open(Settings(redis_url=pair.new.url))
    try:
        old = Store.open(Settings(redis_url=pair.old.url))
        await eventually(old.leases.workers)
        await old.close()
        await pair.fail_over()

        assert list(await eventually(new.leases.workers)) == ["w1"]
    finally:
        heartbeat.stop()
        await new.close()


async def test_a_subscription_leaves_a_demoted_server_that_hears_nothing(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "LOOK_SECONDS", 0.05)
    async with CompletionNotifier.open(RedisAddress.parse(pair.proxy.url)) as notifier:
        await pair.fail_over()
        there = Client(RedisAddress.parse(pair.new.url))

        with notifier.expecting("x") as completion:

            async def rung() -> bool:
                await there.send("PUBLISH", notifier.channel, "x")
                return await completion.wait(_true, 0.1) or False

            async def _true() -> bool | None:
                return completion.was_notified or None

            assert await eventually(rung)
        await there.close()
