"""The number of queues that a process keeps."""

import math
from collections.abc import AsyncIterator

import pytest

from engine.models.limits import ModelLimits
from engine.store import Store
from engine.store.redis.address import RedisAddress
from tests.support.eventually import eventually
from workers.providers.limiter import call_limiter as limiter
from workers.providers.limiter.call_limiter import CallLimiter, LimiterKey
from workers.providers.limiter.provider_queue import ProviderQueue


@pytest.fixture
async def call_limiter(
    store: Store, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[CallLimiter]:
    monkeypatch.setattr(limiter, "MAX_QUEUES", 4)
    call_limiter = CallLimiter(store.governor, "one")
    async with call_limiter.running(RedisAddress.parse(redis_url)):
        yield call_limiter


def limiter_key(number: int, **limits: int) -> LimiterKey:
    return LimiterKey(
        provider=f"host-{number}", label="hosts", limits=ModelLimits(**limits), patience=math.inf
    )


async def all_idle(provider_queues: dict[str, ProviderQueue]) -> bool:
    return all(provider_queue.is_discardable for provider_queue in provider_queues.values())


async def test_queues_whose_calls_have_ended_are_dropped(call_limiter: CallLimiter) -> None:
    for number in range(50):
        async with call_limiter.turn(limiter_key(number, concurrency=1), "acc", 0, math.inf):
            pass
        await eventually(lambda: all_idle(call_limiter.provider_queues))

    assert len(call_limiter.provider_queues) <= 5


async def test_queues_with_calls_or_learned_limits_are_kept(
    call_limiter: CallLimiter,
) -> None:
    async with call_limiter.turn(limiter_key(0), "acc", 0, math.inf) as turn:
        turn.note_answer(200, {"x-ratelimit-limit-requests": "60"})
    async with call_limiter.turn(limiter_key(1, concurrency=1), "acc", 0, math.inf):
        for number in range(2, 50):
            async with call_limiter.turn(limiter_key(number, concurrency=1), "acc", 0, math.inf):
                pass
            await eventually(lambda: all_but_two_idle(call_limiter.provider_queues))

        assert {"host-0", "host-1"} <= call_limiter.provider_queues.keys()
        assert len(call_limiter.provider_queues) <= 8


async def all_but_two_idle(provider_queues: dict[str, ProviderQueue]) -> bool:
    idle = [
        provider_queue
        for name, provider_queue in provider_queues.items()
        if name not in ("host-0", "host-1")
    ]
    return all(provider_queue.is_discardable for provider_queue in idle)
