"""Random graphs under random faults: every execution ends once, as an interpreter predicts."""

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from engine.settings import Settings
from tests.conftest import RedisServer
from tests.support.http.scripted_server import Target
from tests.support.workers.fleet_trial import SharedPool, Trial, WatchedSlots
from tests.support.workers.shared_zygote import PoolOfSharedZygote

DEFAULT_SEEDS = (1, 2)
ONE_SEED = [1, pytest.param(2, marks=pytest.mark.thorough)]
LONG_SECONDS = float(os.environ.get("FUZZ_SECONDS", "60"))


@pytest.fixture
async def brisk(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Settings]:
    """Settings and pauses that make minutes of trouble fit into seconds."""
    monkeypatch.setattr("engine.store.executions.acceptance.RESEND_AFTER_MS", 500)
    monkeypatch.setattr("workers.recovery.duties.due_hints.RESEND_AFTER_MS", 500)
    monkeypatch.setattr("workers.runtime.broker.RESTART_SECONDS", 0.1)
    monkeypatch.setattr("workers.main.Pool", SharedPool)
    monkeypatch.setattr("workers.main.ConcurrencyLimit", WatchedSlots)
    WatchedSlots.made.clear()
    monkeypatch.setattr("workers.walk.walk.SHARE_SECONDS", 0.0)
    SharedPool.real = PoolOfSharedZygote(slots=1)
    await SharedPool.real.start()
    yield Settings(
        redis_url=settings.redis_url,
        allow_private_urls=True,
        cpu_slots=1,
        lease_seconds=0.6,
        media_url=settings.media_url,
        drain_seconds=0.1,
    )
    await SharedPool.real.close()


async def play(
    seed: int, settings: Settings, target: Target, server: RedisServer | None = None
) -> None:
    before = asyncio.all_tasks()
    await Trial(seed, settings, target, server).play()
    left = {task for task in asyncio.all_tasks() - before if "aiohttp" not in repr(task)}
    assert not left


@pytest.mark.parametrize("seed", ONE_SEED)
async def test_every_execution_ends_once_and_as_its_graph_says(
    seed: int, brisk: Settings, target: Target
) -> None:
    await play(seed, brisk, target)


@pytest.mark.parametrize("seed", ONE_SEED)
async def test_every_execution_ends_once_though_all_wait_for_memory(
    seed: int, brisk: Settings, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.nodes.memory.OVERFLOW_RUNS", 2)
    monkeypatch.setattr("workers.nodes.memory.LARGE_BYTES", 100)

    await play(seed, replace(brisk, worker_memory_bytes=1_000), target)


@pytest.mark.slow
@pytest.mark.parametrize("seed", DEFAULT_SEEDS)
async def test_every_execution_ends_once_though_redis_is_killed(
    seed: int, brisk: Settings, target: Target, durable_redis: RedisServer
) -> None:
    await play(seed, replace(brisk, redis_url=durable_redis.url), target, durable_redis)


@pytest.mark.slow
@pytest.mark.parametrize("seed", DEFAULT_SEEDS)
async def test_every_execution_ends_once_though_hardly_anything_fits_the_record(
    seed: int, brisk: Settings, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.executions.offload.OFFLOAD_FROM_BYTES", 24)
    monkeypatch.setattr("workers.walk.values.sizes.RECORD_BYTES", 100)
    monkeypatch.setattr("workers.walk.values.sizes.SMALL_BYTES", 4)

    await play(seed, brisk, target)


@pytest.mark.slow
@pytest.mark.timeout(LONG_SECONDS + 120)
async def test_every_execution_ends_once_for_as_long_as_one_cares_to_look(
    brisk: Settings, target: Target
) -> None:
    first = int(os.environ.get("FUZZ_SEED", str(time.time_ns() % 1_000_000)))
    deadline = time.monotonic() + LONG_SECONDS
    for seed in itertools.count(first):
        print("seed", seed)
        await play(seed, brisk, target)
        if time.monotonic() > deadline:
            break
