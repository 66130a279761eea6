"""Workers killed while executions wait for children that wait for children of their own."""

import signal
from collections.abc import AsyncIterator
from functools import partial

import pytest

from engine.executions.statuses import ExecutionStatus
from engine.ids.executions import child_execution_id
from engine.settings import Settings
from engine.store import Store
from engine.store.children.keys import children, open_children
from engine.store.executions.record_fields import parse_hash
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner
from tests.support.graphs.nested_graphs import body_of, list_field
from tests.support.http.scripted_server import Target, serving
from tests.support.workers.worker_process import WorkerProcess, worker_processes

OUTER, INNER, WORKERS = 6, 4, 2
KILLS = 2
"""Fewer than those after which a node fails that was running each time."""
SECONDS = 0.3
"""Time of each call."""
ROWS = [[str(number * 10 + each) for each in range(INNER)] for number in range(OUTER)]
EACH = 1
"""Index of the outer For Each."""


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    async with serving() as target:
        yield target


@pytest.fixture
async def workers(settings: Settings, store: Store) -> AsyncIterator[list[WorkerProcess]]:
    more = {"HEADRACE_LEASE_SECONDS": "1"}
    async with worker_processes(settings.redis_url, WORKERS, **more) as processes:
        await eventually(store.leases.workers, lambda found: len(found) == WORKERS, timeout=30)
        yield processes


def calls_of_rows(url: str) -> Graph:
    """List → For Each of lists → For Each of texts → a call with each text."""
    call = Graph("text").node("call", "httpRequest", url=f"{url}/slow/{SECONDS}?n={{{{ n }}}}")
    call.node("mark", "textBox", text="{{ a }}: {{ b.n }}").node("out", "responseOutput")
    call.wire("in.text > call.n", "call.response-out > mark.b")
    call.wire("in.text > mark.a", "mark.text-out > out.result-in")
    row = Graph().node("in", "requestInput", fields=[list_field("row")])
    row.node("inner", "forEach", body=body_of(call)).node("out", "responseOutput")
    row.wire("in.row > inner.text", "inner.results-out > out.result-in")
    graph = Graph().node("rows", "transform", expression=repr(ROWS))
    graph.node("each", "forEach", body=body_of(row)).node("out", "responseOutput")
    return graph.wire("rows.value-out > each.row", "each.results-out > out.result-in")


async def record(runner: Runner, execution_id: str) -> dict[str, bytes]:
    return await runner.store.walks.records(runner.account.id, execution_id)


async def group(runner: Runner, parent_id: str, node: int) -> dict[str, bytes]:
    key = children(runner.account.id, parent_id, node)
    return parse_hash(await runner.store.client.send("HGETALL", key))


async def has_results(runner: Runner, root_id: str, least: int) -> bool:
    """Return whether so many calls have ended, or all of them."""
    ended = 0
    for number in range(OUTER):
        row_id = child_execution_id(root_id, "each", number)
        ended += (await group(runner, row_id, 1)).get("s0", b"").count(b"c")
    status = (await record(runner, root_id))["status"]
    return ended >= least or status != b"processing"


async def kill_all(runner: Runner, workers: list[WorkerProcess], root_id: str) -> None:
    """Kill all workers several times, each time after some further calls have ended."""
    for number in range(KILLS):
        least = 1 + number * (OUTER * INNER // (KILLS + 1))
        await eventually(partial(has_results, runner, root_id, least), timeout=60)
        for process in workers:
            await process.end(signal.SIGKILL)
        for process in workers:
            await process.start()


@pytest.mark.F55
@pytest.mark.timeout(300)
async def test_each_child_runs_once_although_all_workers_are_killed(
    runner: Runner, workers: list[WorkerProcess], target: Target
) -> None:
    graph = calls_of_rows(target.url)
    root_id = await runner.begin(await runner.save(graph))
    await kill_all(runner, workers, root_id)

    execution = await runner.end(root_id, 120)

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert execution.result == [[f"{text}: {int(text)}" for text in row] for row in ROWS]
    assert set(target.calls) == {f"/slow/{SECONDS}?n={text}" for row in ROWS for text in row}
    await check_books(runner, root_id)


async def check_books(runner: Runner, root_id: str) -> None:
    """Check that each child is on record once, has ended, and is counted."""
    root = await record(runner, root_id)
    assert int(root["children"]) == OUTER + OUTER * INNER
    assert int(root["children_running"]) == 0
    assert (await group(runner, root_id, EACH))["s0"] == b"c" * OUTER
    keys = await runner.store.client.send("KEYS", f"*:execution:{runner.account.id}:*")
    assert len(keys) == 1 + OUTER + OUTER * INNER
    for number in range(OUTER):
        row = await record(runner, child_execution_id(root_id, "each", number))
        assert (row["status"], row["holders"]) == (b"completed", b"0")
    count = partial(runner.store.client.send, "ZCARD", open_children(runner.account.id))
    await eventually(count, lambda left: left == 0)
