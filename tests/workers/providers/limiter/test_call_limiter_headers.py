"""Limits in a provider's headers: new ones are passed on, and lapse when they are not repeated."""

import asyncio
from collections.abc import Sequence

import pytest
import redis

from engine.models.limits import ModelLimits
from engine.store.limits.governor import CallOutcome, CallReport, Pacing
from engine.store.limits.governor import ProviderStanding as ProviderStanding
from engine.store.redis import provider_keys
from tests.support.eventually import eventually
from tests.support.models.limited_calls import (
    ENVIRON,
    Process,
    Provider,
    answer,
    limited,
    report_kinds,
)
from workers.providers.limiter.call_limiter import LimiterKey

TOLD = answer(x_ratelimit_limit_requests="6000")


async def test_limits_are_passed_on_once_and_not_lost_while_redis_is_away(
    one: Process, fake_provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_provider.answers = [TOLD, answer()]
    passed: list[int | None] = []
    tries = asyncio.Semaphore(0)
    turn = one.watched.turn

    async def noting(
        fake_provider: str,
        caller: str,
        limits: ModelLimits,
        events: Sequence[CallReport],
        *,
        pacing: Pacing,
    ) -> ProviderStanding:
        tries.release()
        given = await turn(fake_provider, caller, limits, events, pacing=pacing)
        passed.append(limits.requests_per_minute)
        return given

    monkeypatch.setattr(one.watched, "turn", noting)
    await one.call(limited())
    one.watched.is_away = True
    waiting = asyncio.create_task(one.call(limited()))
    await tries.acquire()

    one.watched.is_away = False
    await waiting
    await one.call(limited())

    assert passed[0] == 6_000
    assert set(passed[1:]) == {None}


async def test_no_turn_is_asked_for_once_the_limits_have_lapsed(
    one: Process, fake_provider: Provider, redis_url: str
) -> None:
    fake_provider.answers = [TOLD, answer()]
    await one.call(limited())
    await one.call(limited())
    await eventually(report_kinds(one), lambda kinds: kinds == [CallOutcome.ASK, CallOutcome.DONE])
    limiter_key = LimiterKey.for_model(limited(), ENVIRON)
    assert limiter_key is not None
    with redis.Redis.from_url(redis_url) as client:
        assert client.delete(provider_keys.provider_state(limiter_key.provider))

    await one.call(limited())
    await one.call(limited())

    await eventually(
        report_kinds(one), lambda kinds: kinds == [CallOutcome.ASK, CallOutcome.DONE] * 2
    )
