"""A subscription ends with its context, however early."""

import asyncio

import pytest

from engine.settings import Settings
from engine.store.redis.address import RedisAddress
from engine.store.redis.subscription import Subscription


async def test_a_subscription_that_is_cancelled_before_it_has_begun_leaves_nothing_running(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("engine.store.redis.subscription.connect", never)
    before = asyncio.all_tasks()

    async def follow() -> None:
        async with Subscription(RedisAddress.parse(settings.redis_url), "channel").running(print):
            pytest.fail("there is nothing to subscribe to")

    following = asyncio.create_task(follow())
    await asyncio.sleep(0.01)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)

    assert asyncio.all_tasks() == before
