"""Vital signs of a process: measured here, in a test that blocks its loop and stops its Redis."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from engine.errors import Unavailable
from engine.services.metrics import vitals
from engine.services.metrics.vitals import FAMILIES, Vitals
from engine.store import Store
from engine.telemetry.metrics import DECLARATIONS, REGISTRY
from tests.support.eventually import eventually

PART = {"part": "worker"}


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, {**PART, **labels}) or 0


@pytest.fixture
async def running(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Vitals that are read often."""
    monkeypatch.setattr(vitals, "LOOK_SECONDS", 0.01)
    task = asyncio.create_task(Vitals("worker", store).run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def reach(name: str, least: float) -> None:
    """Wait until a sample has reached a value."""

    async def read() -> float:
        return value(name)

    await eventually(read, lambda found: found >= least)


@pytest.mark.usefixtures("running")
async def test_a_loop_that_was_blocked_lags() -> None:
    await reach("headrace_loop_lag_seconds_count", 1)
    before = value("headrace_loop_lag_seconds_sum")

    async def block() -> float:
        time.sleep(0.1)
        return value("headrace_loop_lag_seconds_sum") - before

    await eventually(block, lambda lag: lag > 0.2)


@pytest.mark.usefixtures("running")
async def test_memory_files_cpu_and_round_trips_are_those_of_the_process() -> None:
    trips = value("headrace_redis_round_trip_seconds_count")

    await reach("headrace_redis_round_trip_seconds_count", trips + 2)

    assert value("headrace_process_memory_bytes") > 10_000_000
    assert value("headrace_process_open_files") > 3
    assert 0 < value("headrace_process_cpu_seconds_total") < 10_000


@pytest.mark.usefixtures("running")
async def test_calls_that_fail_because_redis_is_away_are_counted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = value("headrace_redis_errors_total")
    monkeypatch.setattr(store.client, "_guard", None)
    await store.client.close()

    with pytest.raises(Unavailable):
        await store.ping()

    assert value("headrace_redis_errors_total") > before


def test_the_families_are_declared_ones() -> None:
    assert {name.removesuffix("_total") for name in DECLARATIONS} >= FAMILIES
