"""A machine whose clock is off says so once, and once more when it is right again."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest

from engine.services.metrics import machine_clock
from engine.services.metrics.machine_clock import read_offset
from engine.store import Store
from tests.support.eventually import eventually

OFF = "this machine's clock differs from Redis's"
RIGHT = "this machine's clock agrees with Redis's again"


class Clock:
    """Wall clock of the module under test."""

    offset = 0.0

    def time(self) -> float:
        return time.time() + self.offset


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    here = SimpleNamespace(time=clock.time, monotonic=time.monotonic)
    monkeypatch.setattr(machine_clock, "time", here)
    monkeypatch.setattr(machine_clock, "CHECK_SECONDS", 0.01)
    return clock


@pytest.fixture
async def _watch(store: Store, clock: Clock) -> AsyncIterator[None]:
    task = asyncio.create_task(machine_clock.watch(store))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("offset", [-3_600.0, -3.0, 3.0, 3_600.0])
@pytest.mark.usefixtures("_watch")
async def test_a_clock_that_is_off_and_right_again_is_told_twice(
    clock: Clock, caplog: pytest.LogCaptureFixture, offset: float
) -> None:
    caplog.set_level(logging.INFO)

    async def read() -> list[str]:
        return [each.message for each in caplog.records if each.name == machine_clock.log.name]

    clock.offset = offset
    await eventually(read)
    await asyncio.sleep(0.05)  # some more comparisons
    clock.offset = 0.0

    assert await eventually(read, lambda found: len(found) > 1) == [OFF, RIGHT]


async def test_an_offset_is_in_seconds_ahead_of_redis(store: Store, clock: Clock) -> None:
    clock.offset = 30.0

    assert await read_offset(store) == pytest.approx(30.0, abs=machine_clock.MAX_OFFSET_SECONDS)


async def test_a_process_that_stood_still_during_a_reading_is_not_off(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read_late() -> int:
        now = await leases_now()
        await asyncio.sleep(0.5)
        return now

    leases_now = store.leases.now
    monkeypatch.setattr(store.leases, "now", read_late)

    assert await read_offset(store) == pytest.approx(0.0, abs=0.1)
