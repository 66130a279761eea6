"""Recovery from crashes: no recorded work is lost, and it takes a few seconds."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest

from engine.access.capabilities import Tier
from engine.executions.statuses import ExecutionStatus
from engine.settings import Settings
from engine.store import CompletionNotifier, Store
from engine.store.executions import acceptance
from engine.store.redis.address import RedisAddress
from tests.conftest import RedisServer
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.factories import Runner, greeting, http_fan, http_line
from tests.support.http.scripted_server import Target
from tests.support.workers.worker_process import WorkerProcess, worker_processes
from workers.main import worker


@pytest.fixture
async def workers(redis_url: str, store: Store) -> AsyncIterator[list[WorkerProcess]]:
    """Two worker processes with live heartbeats."""
    async with worker_processes(redis_url, 2) as processes:
        await eventually(store.leases.workers, lambda found: len(found) == 2)
        yield processes


async def test_a_killed_workers_execution_ends_soon(
    workers: list[WorkerProcess], runner: Runner, target: Target
) -> None:
    # Soon after Redis came back no worker is taken for dead.
    spared = 2 * Settings().lease_seconds
    await eventually(runner.store.leases.uptime_seconds, spared.__le__)
    slug = await runner.save(http_line(f"{target.url}/slow/0.5", 3))
    execution_id = await runner.begin(slug)
    await eventually(_async(lambda: target.calls["/slow/0.5?n=1"]))
    held = {
        name: await runner.store.leases.held(name) for name in await runner.store.leases.workers()
    }
    holder = next(name for name, references in held.items() if references)

    begun = time.monotonic()
    os.kill(int(holder.split("-")[-2]), signal.SIGKILL)
    execution = await runner.end(execution_id)

    assert time.monotonic() - begun < 40  # beside other work; tests/acceptance has the bar of 20 s
    assert execution.status is ExecutionStatus.COMPLETED
    assert execution.result == {"n": 2, "kind": "slow"}
    assert [target.calls[f"/slow/0.5?n={n}"] for n in range(3)] == [1, 2, 1]
    assert [node.attempts for node in execution.nodes] == [1, 2, 1, 1]


async def test_a_death_that_was_seen_is_made_good_at_once(
    redis_url: str, store: Store, runner: Runner, target: Target
) -> None:
    async with worker_processes(redis_url, 2, HEADRACE_LEASE_SECONDS="600"):
        await eventually(store.leases.workers, lambda found: len(found) == 2)
        await _see_a_death(runner, target)


async def _see_a_death(runner: Runner, target: Target) -> None:
    execution_id = await runner.begin(await runner.save(http_line(f"{target.url}/slow/0.3", 3)))
    await eventually(_async(lambda: target.calls["/slow/0.3?n=1"]))
    leases = runner.store.leases
    [holder] = [name for name in await leases.workers() if await leases.held(name)]
    pid = int(holder.split("-")[-2])

    os.kill(pid, signal.SIGKILL)
    await leases.end_leases_of_process(pid)
    execution = await runner.end(execution_id, PATIENCE_SECONDS)  # the lease is ten minutes

    assert execution.status is ExecutionStatus.COMPLETED


async def test_a_killed_worker_with_fetched_hints_loses_no_execution(
    workers: list[WorkerProcess], runner: Runner, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acceptance, "RESEND_AFTER_MS", 1_000)
    slug = await runner.save(http_fan(f"{target.url}/slow/0.2", 2))
    ids = [await runner.begin(slug) for _ in range(60)]

    await workers[0].end(signal.SIGKILL)
    ended = [await runner.end(execution_id, PATIENCE_SECONDS) for execution_id in ids]

    assert {execution.status for execution in ended} == {ExecutionStatus.COMPLETED}


@pytest.mark.F33
async def test_a_node_that_kills_its_worker_is_given_up(
    redis_url: str, runner: Runner, target: Target
) -> None:
    slug = await runner.save(http_line(f"{target.url}/slow/30", 1))
    execution_id = await runner.begin(slug)
    for death in range(1, 4):
        async with worker_processes(redis_url, 1, HEADRACE_LEASE_SECONDS="1"):
            await eventually(_async(lambda death=death: sum(target.calls.values()) == death))

    async with worker(Settings(redis_url=redis_url, allow_private_urls=True, cpu_slots=1)):
        execution = await runner.end(execution_id, PATIENCE_SECONDS)

    assert execution.status is ExecutionStatus.FAILED
    assert execution.nodes[0].error is not None
    assert execution.nodes[0].error["code"] == "worker_lost"
    assert sum(target.calls.values()) == 3


@pytest.mark.F25
async def test_sigterm_lets_a_running_node_end_and_exits_with_0(
    workers: list[WorkerProcess], runner: Runner, target: Target
) -> None:
    execution_id = await runner.begin(await runner.save(http_line(f"{target.url}/slow/1", 1)))
    await eventually(_async(lambda: sum(target.calls.values())))

    codes = await asyncio.gather(*(process.end(signal.SIGTERM) for process in workers))
    execution = await runner.end(execution_id)

    assert codes == [0, 0]
    assert execution.status is ExecutionStatus.COMPLETED
    assert sum(target.calls.values()) == 1
    assert await runner.store.leases.workers() == {}


async def test_a_killed_redis_loses_no_accepted_execution(
    durable_redis: RedisServer, target: Target
) -> None:
    settings = Settings(redis_url=durable_redis.url, allow_private_urls=True, cpu_slots=1)
    store = Store.open(settings)
    account = await store.accounts.create(email="ada@example.com", tier=Tier.PRO)
    async with (
        CompletionNotifier.open(RedisAddress.parse(settings.redis_url)) as notifier,
        worker(settings),
    ):
        runner = Runner(store, account, notifier)
        slow = await runner.save(http_line(f"{target.url}/slow/0.7", 2))
        quick = await runner.save(greeting())
        ids = [await runner.begin(slow) for _ in range(10)]
        ids += [await runner.begin(quick, {"who": "Ada"}) for _ in range(10)]
        await eventually(_async(lambda: target.calls["/slow/0.7?n=0"] == 10))

        durable_redis.kill()
        await asyncio.sleep(1)
        durable_redis.start()
        ended = await asyncio.gather(
            *(runner.end(execution_id, PATIENCE_SECONDS) for execution_id in ids)
        )

    await store.close()
    assert {execution.status for execution in ended} == {ExecutionStatus.COMPLETED}
    assert target.calls["/slow/0.7?n=1"] == 10


def _async(read):
    async def call():
        return read()

    return call
