"""Steps of Redis's clock: no node is called twice, and a worker that dies is still replaced."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest

from engine.access.capabilities import Tier
from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.settings import Settings
from engine.store import CompletionNotifier, Store
from engine.store.redis.address import RedisAddress
from tests.support.eventually import eventually
from tests.support.factories import Runner, http_line
from tests.support.http.scripted_server import Target, serving
from tests.support.redis.stepped_clock import SteppedRedis
from tests.support.workers.worker_process import worker_processes

EXECUTIONS = 12
RECOVERY_SECONDS = 15.0
"""A lease takes 3 s; without the sweeper's correction a step back by 30 s adds as much."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
async def runner(stepped: SteppedRedis) -> AsyncIterator[Runner]:
    """A runner beside two worker processes."""
    store = Store.open(Settings(redis_url=stepped.url))
    async with worker_processes(stepped.url, 2):
        await eventually(store.leases.workers, lambda found: len(found) == 2, timeout=15)
        # Soon after Redis came back no worker is taken for dead, clock step or not.
        spared = 2 * Settings().lease_seconds
        await eventually(store.leases.uptime_seconds, spared.__lt__, timeout=3 * spared)
        account = await store.accounts.create(email="ada@example.com", tier=Tier.PRO)
        async with CompletionNotifier.open(RedisAddress.parse(stepped.url)) as notifier:
            yield Runner(store, account, notifier)
    await store.close()


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    async with serving() as target:
        yield target


async def begin_all(runner: Runner, target: Target) -> list[str]:
    """Start executions of one slow call each; all of them are under way."""
    ids = [
        await runner.begin(await runner.save(http_line(f"{target.url}/slow/4/{number}", 1)))
        for number in range(EXECUTIONS)
    ]

    async def called() -> int:
        return len(target.calls)

    await eventually(called, EXECUTIONS.__eq__)
    return ids


async def end_all(runner: Runner, ids: list[str]) -> list[Execution]:
    return list(await asyncio.gather(*(runner.end(each, seconds=30) for each in ids)))


@pytest.mark.parametrize("seconds", [4, -4, 30, -30])
@pytest.mark.F29
async def test_a_step_of_the_clock_calls_no_node_twice(
    seconds: int, stepped: SteppedRedis, runner: Runner, target: Target
) -> None:
    ids = await begin_all(runner, target)

    stepped.step(seconds)
    ended = await end_all(runner, ids)

    assert {execution.status for execution in ended} == {ExecutionStatus.COMPLETED}
    assert list(target.calls.values()) == [1] * EXECUTIONS


@pytest.mark.parametrize("seconds", [4, -30])
@pytest.mark.F29
async def test_a_worker_that_dies_after_a_step_of_the_clock_is_recovered_from(
    seconds: int, stepped: SteppedRedis, runner: Runner, target: Target
) -> None:
    ids = await begin_all(runner, target)
    leases = runner.store.leases
    held = {name: await leases.held(name) for name in await leases.workers()}
    [victim, other] = sorted(held, key=lambda name: len(held[name]))

    stepped.step(seconds)
    os.kill(int(victim.split("-")[-2]), signal.SIGKILL)
    killed = time.monotonic()
    await eventually(leases.workers, lambda found: set(found) == {other}, timeout=60)
    elapsed = time.monotonic() - killed
    ended = await end_all(runner, ids)

    assert elapsed < RECOVERY_SECONDS
    assert {execution.status for execution in ended} == {ExecutionStatus.COMPLETED}
    called = sorted(target.calls.values())
    assert called == [1] * len(held[other]) + [2] * len(held[victim])
