"""Redis loses the latest seconds of its writes under load; its workers live on."""

import asyncio
import contextlib
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.access.capabilities import Role, Tier
from engine.access.tiers import load
from engine.media.objects import ObjectStore
from engine.models.registry import use_models
from engine.store import CompletionNotifier, Store
from engine.store.redis.address import RedisAddress
from engine.telemetry import metrics
from tests.support.acceptance.truncated_redis import (
    Auditor,
    CutRedis,
    Load,
    cut_settings,
    fan,
    line,
    numbering,
)
from tests.support.factories import Runner
from tests.support.manifests import ANSWER, model
from tests.support.redis.installation import SECRET_KEY
from workers.main import worker

TERMS = replace(load().terms(Tier.ENTERPRISE, Role.USER), allowance=1_000_000, allowance_once=True)
SECONDS_TO_END = 40.0
CUTS = 3
CUTS_AT_MOST = 12
"""A cut may hit no walk that is ahead of the record: a trial repeats until one does."""


@pytest.fixture
def cut_redis() -> Iterator[CutRedis]:
    server = CutRedis()
    server.begin()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def own_model() -> Iterator[None]:
    with use_models([model(call=ANSWER)]):
        yield


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(8))
async def test_record_result_and_charge_agree_whatever_redis_has_lost(
    seed: int, cut_redis: CutRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.walk.walk.SHARE_SECONDS", 0.0)  # workers share at once
    settings, rng = cut_settings(cut_redis.url, tmp_path, SECRET_KEY), random.Random(seed)
    async with contextlib.AsyncExitStack() as stack:
        store = Store.open(settings, ObjectStore.from_settings(settings))
        stack.push_async_callback(store.close)
        account = await store.accounts.create(email="a@example.com", tier=Tier.ENTERPRISE)
        notifier = await stack.enter_async_context(
            CompletionNotifier.open(RedisAddress.parse(cut_redis.url))
        )
        server = await stack.enter_async_context(numbering())
        runner = Runner(store, account, notifier)
        slugs = [await runner.save(graph) for graph in (line(server.url, 5), fan(server.url, 5))]
        for _ in range(2):
            await stack.enter_async_context(worker(settings))
        running = asyncio.create_task(Load(runner, slugs, TERMS).run())
        lost_before = metrics.STEPS_LOST._value.get()
        for number in range(CUTS_AT_MOST):
            if number >= CUTS and metrics.STEPS_LOST._value.get() > lost_before:
                break
            await asyncio.sleep(rng.uniform(0.5, 1.0))
            length = cut_redis.length
            await asyncio.sleep(rng.uniform(0.1, 1.0))
            await cut_redis.cut(length - rng.randrange(3_000))
        await asyncio.sleep(0.5)
        running.cancel()

        checked = await Auditor(store, account, TERMS).check(SECONDS_TO_END)

        assert checked > 10, "too few runs"
        assert metrics.STEPS_LOST._value.get() > lost_before, "too little harm"
