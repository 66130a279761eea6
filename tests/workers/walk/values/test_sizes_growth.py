"""Runs that grow: they end at their limit of bytes, and hardly more than that is stored."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.nodes.support.http_settings import MAX_BYTES
from engine.settings import Settings
from engine.store import Store
from engine.store.redis import keyspace
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner, http_fan
from tests.support.http.scripted_server import Target
from tests.support.media.object_files import outputs_of
from workers.main import worker
from workers.walk.walker import Walker

BUDGET = 8_000_000
MOST = 1.2
"""Limit of stored bytes of a run, by its budget."""
MOST_IN_REDIS = 2_000_000


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, max_run_bytes=BUDGET, cpu_slots=1)


@pytest.fixture
async def walker(settings: Settings) -> AsyncIterator[Walker]:
    async with worker(settings) as walker:
        yield walker


async def used(store: Store) -> int:
    """Return the bytes of all data in Redis, including data in transit."""
    text = (await store.client.send("INFO", "memory")).decode()
    pairs = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return int(pairs["used_memory_dataset"])


async def kept(runner: Runner, execution: Execution, settings: Settings) -> int:
    """Return the bytes of an execution's record, which is small in any case, and of its objects."""
    key = keyspace.execution(runner.account.id, execution.id)
    size = int(await runner.store.client.send("MEMORY", "USAGE", key, "SAMPLES", 0))
    assert size <= MOST_IN_REDIS
    files = outputs_of(settings, runner.account.id, execution.id)
    return size + sum(file.stat().st_size for file in files)


def doubling_lists(times: int) -> Graph:
    """A list of ten kilobytes, put twice into the next list, and so on."""
    graph = Graph().node(
        "l0", "list", kind="text", items=[{"value": "x" * 10_000, "included": True}]
    )
    for number in range(1, times + 1):
        graph.node(f"l{number}", "list", kind="text", items=[])
        graph.node(f"m{number}", "list", kind="text", items=[])
        graph.wire(
            f"l{number - 1}.items-out > m{number}.items-in",
            f"l{number - 1}.items-out > l{number}.items-in",
            f"m{number}.items-out > l{number}.items-in",
        )
    return graph.node("out", "responseOutput").wire(f"l{times}.items-out > out.result-in")


def doubling_texts(times: int) -> Graph:
    """A text of ten kilobytes, put twice into the next text, and so on."""
    graph = Graph().node("t0", "textBox", text="x" * 10_000)
    for number in range(1, times + 1):
        graph.node(f"t{number}", "textBox", text="{{ a }}{{ a }}")
        graph.wire(f"t{number - 1}.text-out > t{number}.a")
    return graph.node("out", "responseOutput").wire(f"t{times}.text-out > out.result-in")


@pytest.mark.A55
@pytest.mark.parametrize(
    ("graph", "code"),
    [(doubling_lists(20), "run_too_large"), (doubling_texts(40), "template_error")],
)
async def test_a_run_whose_nodes_double_forty_times_ends_within_its_budget(
    runner: Runner, walker: Walker, store: Store, settings: Settings, graph: Graph, code: str
) -> None:
    slug = await runner.save(graph)
    before = await used(store)

    execution = await runner.end(await runner.begin(slug))

    assert execution.status is ExecutionStatus.FAILED
    assert [each.error["code"] for each in execution.nodes if each.error] == [code]
    await eventually(lambda: used(store), lambda now: now - before <= BUDGET * MOST)
    assert await kept(runner, execution, settings) <= BUDGET * MOST


@pytest.mark.A55
async def test_many_large_answers_end_the_run_within_its_budget(
    runner: Runner, walker: Walker, store: Store, target: Target, settings: Settings
) -> None:
    slug = await runner.save(http_fan(f"{target.url}/large/{BUDGET // 20}", 60))
    before = await used(store)

    execution = await runner.end(await runner.begin(slug))

    assert execution.status is ExecutionStatus.FAILED
    assert {each.error["code"] for each in execution.nodes if each.error} == {"run_too_large"}
    await eventually(lambda: used(store), lambda now: now - before <= BUDGET * MOST)
    assert 0 < await kept(runner, execution, settings) <= BUDGET * MOST


@pytest.mark.A55
async def test_an_answer_that_is_larger_than_the_budget_is_not_kept(
    runner: Runner, walker: Walker, target: Target, settings: Settings
) -> None:
    execution = await runner.run(http_fan(f"{target.url}/large/{MAX_BYTES - 1}", 1))

    assert execution.status is ExecutionStatus.FAILED
    assert await kept(runner, execution, settings) <= 100_000
