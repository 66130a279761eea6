"""Executions whose values take more memory together than their worker may use."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.settings import Settings
from engine.telemetry.metrics import snapshot
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner, http_line
from tests.support.http.scripted_server import Target
from workers.main import worker
from workers.nodes.memory import LARGE_BYTES, OVERFLOW_RUNS
from workers.walk.walker import Walker

LIMIT = 4_000_000
ANSWER = 400_000
CALLS = 6
RUNS = 10
LARGEST_RUN = CALLS * ANSWER * 3 // 2
"""The most bytes of one run: its outputs, and an answer in transit."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, worker_memory_bytes=LIMIT, drain_seconds=0.2)


class Peak:
    """The most memory that a worker has used."""

    def __init__(self, walker: Walker) -> None:
        self.used = self.waiting = 0
        self._walker = walker

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._watch())
        yield
        task.cancel()

    async def _watch(self) -> None:
        while True:
            self.used = max(self.used, self._walker.memory.used)
            self.waiting = max(self.waiting, self._walker.memory.waiting)
            await asyncio.sleep(0)


async def test_runs_that_grow_past_the_limit_together_all_end(
    runner: Runner, target: Target, walker: Walker
) -> None:
    slug = await runner.save(http_line(f"{target.url}/large/{ANSWER}", CALLS))
    peak = Peak(walker)

    async with peak.watched():
        begun = [await runner.begin(slug) for _ in range(RUNS)]
        ended = [await runner.end(each, 60) for each in begun]

    assert {each.status for each in ended} == {ExecutionStatus.COMPLETED}
    assert peak.waiting > 0
    # Each has an answer on its way when the limit is reached; one goes on past it.
    assert peak.used <= LIMIT + LARGEST_RUN + RUNS * ANSWER
    assert walker.memory.used == 0


async def test_pure_nodes_and_expressions_wait_as_well(
    runner: Runner, target: Target, walker: Walker
) -> None:
    graph = Graph().node("call", "httpRequest", url=f"{target.url}/large/{ANSWER}")
    graph.node("twice", "textBox", text="{{a}}{{a}}").wire("call.response-out > twice.a")
    graph.node("sum", "transform", expression="value + value").wire("twice.text-out > sum.value-in")
    graph.node("out", "responseOutput").wire("sum.value-out > out.result-in")
    slug = await runner.save(graph)
    peak = Peak(walker)

    async with peak.watched():
        begun = [await runner.begin(slug) for _ in range(RUNS)]
        ended = [await runner.end(each, 60) for each in begun]

    assert {each.status for each in ended} == {ExecutionStatus.COMPLETED}
    assert peak.waiting > 0
    assert peak.used <= LIMIT + 9 * ANSWER + RUNS * ANSWER
    assert walker.memory.used == 0


async def held_up(runner: Runner, target: Target, walker: Walker) -> tuple[str, ...]:
    """Start two executions that use much and wait for an answer, and one that waits for memory."""
    graph = Graph().node("large", "httpRequest", url=f"{target.url}/large/{ANSWER * 9}")
    graph.node("slow", "httpRequest", url=f"{target.url}/slow/50")
    graph.node("out", "responseOutput")
    graph.wire("large.response-out > out.result-in", "slow.response-out > out.result-in")
    slug = await runner.save(graph)
    execution_ids = [await runner.begin(slug) for _ in range(2)]

    async def is_held() -> bool:
        return walker.memory.used >= ANSWER * 9 and target.calls["/slow/50"] == 2

    await eventually(is_held)
    last = await runner.begin(await runner.save(http_line(f"{target.url}/large/1500000", 2)))

    async def waits() -> bool:
        return walker.memory.waiting > 0

    await eventually(waits)
    return *execution_ids, last


async def test_one_that_waits_is_cancelled_at_once(
    runner: Runner, target: Target, walker: Walker
) -> None:
    execution_ids = await held_up(runner, target, walker)

    async def used() -> float:
        return walker.memory.used

    for execution_id in execution_ids:
        await runner.store.executions.cancel(runner.account.id, execution_id)

    for execution_id in execution_ids:
        assert (await runner.end(execution_id)).status is ExecutionStatus.CANCELLED
    await eventually(used, (0).__eq__)  # the end is on record before the walk is over


async def test_one_that_waits_is_left_to_others_when_its_worker_stops(
    runner: Runner, settings: Settings, target: Target
) -> None:
    async with worker(settings) as walker:
        *_, last = await held_up(runner, target, walker)

    async with worker(replace(settings, worker_memory_bytes=100 * LIMIT)):
        assert (await runner.end(last)).status is ExecutionStatus.COMPLETED


async def test_the_metrics_show_used_memory(runner: Runner, target: Target, walker: Walker) -> None:
    await held_up(runner, target, walker)

    found = {family[0]: family[3][0][2] for family in snapshot() if "memory" in family[0]}

    assert found["headrace_execution_memory_bytes"] >= ANSWER * 9
    assert found["headrace_execution_memory_limit_bytes"] == LIMIT
    assert found["headrace_executions_waiting_for_memory"] >= 1


async def test_a_small_run_passes_though_large_ones_hold_everything(
    runner: Runner, target: Target, walker: Walker
) -> None:
    await held_up(runner, target, walker)

    small = await runner.run(http_line(f"{target.url}/echo", 3))

    assert small.status is ExecutionStatus.COMPLETED


async def test_large_inputs_are_read_when_there_is_room_for_them(
    runner: Runner, target: Target, walker: Walker
) -> None:
    graph = Graph("who").node("text", "textBox", text="{{a}}").wire("in.who > text.a")
    graph.node("call", "httpRequest", url=f"{target.url}/slow/0.05", method="POST")
    graph.wire("text.text-out > call.body-in").node("out", "responseOutput")
    graph.wire("call.response-out > out.result-in")
    slug = await runner.save(graph)
    peak = Peak(walker)

    async with peak.watched():
        begun = [await runner.begin(slug, {"who": "x" * 300_000}) for _ in range(30)]
        ended = [await runner.end(each, 60) for each in begun]

    assert {each.status for each in ended} == {ExecutionStatus.COMPLETED}
    assert 300_000 < peak.used <= LIMIT + (OVERFLOW_RUNS + 1) * LARGE_BYTES
    assert walker.memory.used == 0


async def test_an_output_counts_once_and_again_with_the_worker_that_goes_on(
    runner: Runner, settings: Settings, target: Target
) -> None:
    graph = Graph().node("large", "httpRequest", url=f"{target.url}/large/{ANSWER}")
    graph.node("slow", "httpRequest", url=f"{target.url}/slow/50", method="POST")
    graph.node("out", "responseOutput").wire("large.response-out > slow.body-in")
    graph.wire("slow.response-out > out.result-in")
    slug = await runner.save(graph)

    for waiter in (1, 2):
        async with worker(settings) as walker:
            if waiter == 1:
                await runner.begin(slug)
            await eventually(_calls(target, "/slow/50"), waiter.__eq__)
            assert ANSWER <= walker.memory.used < 1.5 * ANSWER


async def test_a_run_that_waits_for_room_has_recorded_its_nodes(
    runner: Runner, target: Target, walker: Walker
) -> None:
    await held_up(runner, target, walker)
    graph = Graph("who").node("out", "responseOutput")
    for name in ("first", "second"):
        graph.node(name, "textBox", text="{{a}}" * 100).wire(f"in.who > {name}.a")
        graph.node(f"{name}-size", "transform", expression="size(value)")
        graph.wire(f"{name}.text-out > {name}-size.value-in")
        graph.wire(f"{name}-size.value-out > out.result-in")
    inputs = {"who": "x" * (LARGE_BYTES // 150)}
    execution_id = await runner.begin(await runner.save(graph), inputs)

    async def completed() -> int:
        found = await runner.store.executions.get(runner.account.id, execution_id)
        return sum(node.status is NodeStatus.COMPLETED for node in found.nodes)

    await eventually(completed, lambda count: count == 3)  # the inputs and both texts


def _calls(target: Target, path: str) -> Callable[[], Awaitable[int]]:
    async def count() -> int:
        return target.calls[path]

    return count
