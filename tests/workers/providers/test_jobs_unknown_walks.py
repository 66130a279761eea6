"""Submits with an unknown outcome in whole walks, whose worker dies or drains."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.models.registry import use_models
from engine.process.pool import Pool
from engine.store.redis import keyspace
from tests.support.factories import Graph, Runner
from tests.support.http.providers import (
    Kept,
    calling,
)
from tests.support.models.recorded_checkpoints import RecordedCheckpoints
from tests.support.models.slow_submits import (
    DONE,
    Counts,
    Slow,
    serving_slow,
    video,
)
from tests.support.workers.job_workers import AGAIN, poll_quickly
from tests.support.workers.paying_account import PRO
from workers.nodes.executor import Executor
from workers.outbound.client import Egress
from workers.providers import jobs
from workers.runtime.limits import LoadGate
from workers.walk.walker import Walker


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    poll_quickly(monkeypatch)


@pytest.fixture
async def provider(checkpoints: RecordedCheckpoints) -> AsyncIterator[Slow]:
    async with serving_slow(checkpoints) as provider:
        yield provider


@pytest.fixture
def counts() -> Counts:
    return Counts()


class Walkers:
    """Walkers of one execution, one after the other."""

    def __init__(self, runner: Runner, egress: Egress, provider: Slow) -> None:
        self._runner = runner
        self._egress = egress
        self._provider = provider
        self.reference = ""

    async def begin(self, attempts: int) -> str:
        """Accept an execution whose only model makes a video."""
        retry = {"attempts": attempts, "backoff": 0}
        graph = Graph().node("m", "customModel", model="own", prompt="a cat", retry=retry)
        graph.node("out", "responseOutput").wire("m.video-out > out.result-in")
        execution_id = await self._runner.begin(await self._runner.save(graph), terms=PRO)
        self.reference = keyspace.reference(self._runner.account.id, execution_id)
        return execution_id

    def walk(self, name: str) -> Walker:
        """Give the execution to a walker of this name."""
        models = calling(self._egress, self._provider.environ, Kept())
        walker = Walker(
            store=self._runner.store,
            executor=Executor(self._egress, Pool(slots=1), models),
            worker_id=name,
            cpu_slots=1,
            max_bytes=1_000_000,
            release=lambda: None,
            load_gate=LoadGate(),
        )
        walker.take_hint(self.reference)
        return walker

    async def lose(self, name: str) -> None:
        """Take the execution from a walker as if its process had died."""
        await self._runner.store.walks.give_back(self.reference, name, is_lost=True)


Kill = Callable[[Walkers, Walker], Awaitable[None]]


async def die(walkers: Walkers, first: Walker) -> None:
    await walkers.lose("worker-1")


async def drain(walkers: Walkers, first: Walker) -> None:
    await first.drain(0)


@pytest.fixture(params=["", AGAIN], ids=["plain", "resubmit"])
def more(request: pytest.FixtureRequest) -> Iterator[str]:
    with use_models([video(request.param)]):
        yield request.param


@pytest.mark.parametrize("leave", [die, drain])
async def test_a_node_whose_submit_was_under_way_when_its_worker_went(
    runner: Runner,
    egress: Egress,
    provider: Slow,
    counts: Counts,
    monkeypatch: pytest.MonkeyPatch,
    more: str,
    leave: Kill,
) -> None:
    monkeypatch.setattr(jobs, "CANCEL_SECONDS", 0.01)
    walkers = Walkers(runner, egress, provider)
    execution_id = await walkers.begin(attempts=3)
    first = walkers.walk("worker-1")
    await provider.submitted.acquire()

    await leave(walkers, first)
    second = walkers.walk("worker-2")
    if more:
        await provider.submitted.acquire()
        provider.answers = [DONE]
        provider.opened.set()
    execution = await runner.end(execution_id)
    for walker in (first, second):
        await walker.drain(0)

    if more:
        assert execution.status is ExecutionStatus.COMPLETED, execution.error
        assert (provider.submits, counts.since()) == (2, (1, 0))
    else:
        assert node_error(execution)["code"] == "PROVIDER_UNKNOWN"
        assert (provider.submits, counts.since()) == (1, (0, 1))
        assert execution.error is not None
        assert execution.error["nodeCode"] == "PROVIDER_UNKNOWN"


@pytest.mark.parametrize("more", [""], indirect=True)
async def test_a_node_that_waited_for_its_turn_when_its_worker_died_is_submitted(
    runner: Runner, egress: Egress, provider: Slow, more: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = asyncio.Event()

    async def wait(*_: Any) -> None:
        held.set()
        await asyncio.Event().wait()

    walkers = Walkers(runner, egress, provider)
    execution_id = await walkers.begin(attempts=1)
    with monkeypatch.context() as waiting:
        waiting.setattr("workers.providers.model_caller.with_media", wait)
        waiting.setattr("workers.providers.dialects.http.with_data", wait)
        first = walkers.walk("worker-1")
        await held.wait()
        await walkers.lose("worker-1")
    provider.opened.set()
    second = walkers.walk("worker-2")
    execution = await runner.end(execution_id)
    for walker in (first, second):
        await walker.drain(0)

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert provider.submits == 1


def node_error(execution: Execution) -> dict[str, Any]:
    """The error of the only node that failed."""
    [error] = [node.error for node in execution.nodes if node.error]
    return error
