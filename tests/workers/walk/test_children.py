"""Nodes that wait for children, on real parts: a worker, its feeder and Redis."""

from typing import Any

import pytest

from engine.executions.execution import Execution
from engine.executions.statuses import TERMINAL, ExecutionStatus, NodeStatus
from engine.ids.executions import child_execution_id
from engine.store import Store
from engine.store.redis import keyspace
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner
from tests.support.graphs.nested import body_of, calling, upper_body
from tests.support.http.scripted_server import Target

pytestmark = pytest.mark.usefixtures("walker")

EACH = 1
"""Index of the For Each in the plan of `each_row`."""


def calling_body(url: str) -> Graph:
    """A body that calls a URL with its row as the last part of the path."""
    body = Graph("row").node("call", "httpRequest", url=f"{url}{{{{ row }}}}")
    body.node("out", "responseOutput")
    return body.wire("in.row > call.row", "call.response-out > out.result-in")


def over(rows: list[Any], body: Graph, **data: Any) -> Graph:
    """List of texts → For Each → Response Output, with the errors apart."""
    graph = Graph().node("rows", "list", items=[{"value": each} for each in rows])
    graph.node("each", "forEach", body=body_of(body), **data)
    graph.node("out", "responseOutput", fields=[{"name": "results"}, {"name": "errors"}])
    return graph.wire(
        "rows.items-out > each.row",
        "each.results-out > out.results",
        "each.errors-out > out.errors",
    )


async def held(store: Store, account_id: str, execution_id: str) -> bytes:
    key = keyspace.execution(account_id, execution_id)
    holders: bytes = await store.client.send("HGET", key, "holders")
    return holders


async def parked(runner: Runner, execution_id: str) -> Execution:
    """Return the execution once its For Each waits and nobody holds it."""

    async def read() -> Execution | None:
        if await held(runner.store, runner.account.id, execution_id) != b"0":
            return None
        execution = await runner.store.executions.get(runner.account.id, execution_id)
        return execution if execution.nodes[EACH].status is NodeStatus.WAITING else None

    return await eventually(read)


async def test_an_empty_list_starts_nothing(runner: Runner) -> None:
    execution = await runner.run(over([], upper_body()))

    assert execution.result == {"results": [], "errors": []}


async def test_the_parent_is_held_by_nobody_while_its_children_run(
    runner: Runner, target: Target
) -> None:
    graph = over(["1", "2"], calling_body(f"{target.url}/slow/"))
    execution_id = await runner.begin(await runner.save(graph))

    waiting = await parked(runner, execution_id)

    assert waiting.status is ExecutionStatus.PROCESSING


async def test_a_call_of_a_workflow_that_is_gone_fails_the_node(runner: Runner) -> None:
    slug = await runner.save(upper_body("who"))
    caller = await runner.save(calling(slug))
    await runner.store.workflows.delete(runner.account.id, slug, force=True)

    execution = await runner.end(await runner.begin(caller, {"who": "Ada"}))

    assert execution.error is not None
    assert execution.error["nodeCode"] == "workflow_not_found"


async def test_children_that_take_too_long_are_cancelled(runner: Runner, target: Target) -> None:
    graph = over(["20", "20"], calling_body(f"{target.url}/slow/"), timeoutSeconds=0.5)

    execution = await runner.run(graph)

    assert execution.error is not None
    assert execution.error["nodeCode"] == "timeout"
    await children_end(runner, execution, ExecutionStatus.CANCELLED)


async def test_children_of_a_cancelled_parent_are_cancelled(runner: Runner, target: Target) -> None:
    graph = over(["20", "20"], calling_body(f"{target.url}/slow/"))
    execution_id = await runner.begin(await runner.save(graph))
    await parked(runner, execution_id)

    await runner.store.executions.cancel(runner.account.id, execution_id)
    execution = await runner.end(execution_id)

    assert execution.status is ExecutionStatus.CANCELLED
    assert execution.nodes[EACH].status is NodeStatus.CANCELLED
    await children_end(runner, execution, ExecutionStatus.CANCELLED)


async def children_end(runner: Runner, parent: Execution, status: ExecutionStatus) -> None:
    """Wait until the first two children of the For Each, if they have begun, have this status."""
    account_id, records = runner.account.id, runner.store.walks.records
    for index in range(2):
        child_id = child_execution_id(parent.id, "each", index)

        async def end(child_id: str = child_id) -> bytes:
            return (await records(account_id, child_id)).get("status", status.value.encode())

        ended = {each.value.encode() for each in TERMINAL}
        assert await eventually(end, ended.__contains__) == status.value.encode()
