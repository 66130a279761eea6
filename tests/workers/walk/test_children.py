"""Nodes that wait for children, on real parts: a worker, its feeder and Redis."""

import asyncio
from typing import Any

import pytest

from engine.executions.execution import Execution
from engine.executions.statuses import TERMINAL, ExecutionStatus, NodeStatus
from engine.ids.executions import child_execution_id
from engine.store import Store
from engine.store.redis import keyspace
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.factories import Graph, Runner
from tests.support.graphs.nested import body_of, calling, each_row, upper_body
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


async def test_a_body_runs_for_each_item_in_order(runner: Runner) -> None:
    execution = await runner.run(each_row())

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert execution.result == ["a!", "b!"]
    assert execution.nodes[EACH].attempts == 1


@pytest.mark.parametrize("name", ["a\0b", "\0", "a/b:c", "=1,2", "x" * 128])
async def test_the_node_of_a_body_may_have_any_name(runner: Runner, name: str) -> None:
    inner = Graph("row").node(name, "forEach", body=body_of(upper_body()))
    graph = Graph("rows").node(name, "forEach", body=body_of(inner.node("out", "responseOutput")))
    graph.node("out", "responseOutput")
    for each, field in ((inner, "row"), (graph, "rows")):
        each.nodes[0]["data"]["fields"][0]["type"] = "json"
        over = "row"
        each.edges += [
            {
                "id": "1",
                "source": "in",
                "target": name,
                "sourceHandle": field,
                "targetHandle": over,
            },
            {
                "id": "2",
                "source": name,
                "target": "out",
                "sourceHandle": "results-out",
                "targetHandle": "result-in",
            },
        ]

    execution = await runner.run(graph, {"rows": [["a"], ["b", "c"]]})

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert execution.result == [["a!"], ["b!", "c!"]]


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
    execution = await runner.end(execution_id)
    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert len(execution.result["results"]) == 2
    each = execution.nodes[EACH]
    assert each.duration_ms is not None and each.duration_ms >= 2_000


async def test_a_failed_item_fails_the_node_with_the_code_of_the_innermost_node(
    runner: Runner, target: Target
) -> None:
    graph = over(["200", "404"], calling_body(f"{target.url}/status/"))

    execution = await runner.run(graph)

    assert execution.status is ExecutionStatus.FAILED
    assert execution.error is not None
    assert execution.error["nodeId"] == "each"
    assert execution.error["nodeCode"] == "http_status"
    assert "Item 1: " in execution.error["message"]


@pytest.mark.parametrize(("on_item_error", "results"), [("null", 3), ("skip", 2)])
async def test_failed_items_are_kept_apart(
    runner: Runner, target: Target, on_item_error: str, results: int
) -> None:
    body = calling_body(f"{target.url}/status/")
    graph = over(["200", "404", "200"], body, onItemError=on_item_error)

    execution = await runner.run(graph)

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert len(execution.result["results"]) == results
    [error] = execution.result["errors"]
    assert (error["index"], error["code"]) == (1, "http_status")


async def test_a_body_may_have_nodes_with_bodies(runner: Runner) -> None:
    inner = Graph("list").node("each", "forEach", body=body_of(upper_body()))
    inner.node("out", "responseOutput")
    inner.nodes[0]["data"]["fields"][0]["type"] = "json"
    inner.wire("in.list > each.row", "each.results-out > out.result-in")
    graph = Graph().node("rows", "transform", expression="[['a', 'b'], [], ['c']]")
    graph.node("outer", "forEach", body=body_of(inner)).node("out", "responseOutput")
    graph.wire("rows.value-out > outer.list", "outer.results-out > out.result-in")

    execution = await runner.run(graph)

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert execution.result == [["a!", "b!"], [], ["c!"]]


async def test_another_workflow_is_called_at_its_live_version(runner: Runner) -> None:
    slug = await runner.save(upper_body("who"))

    execution = await runner.run(calling(slug), {"who": "Ada"})

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert execution.result == "Ada!"


async def test_a_call_of_a_workflow_that_is_gone_fails_the_node(runner: Runner) -> None:
    slug = await runner.save(upper_body("who"))
    caller = await runner.save(calling(slug))
    await runner.store.workflows.delete(runner.account.id, slug, force=True)

    execution = await runner.end(await runner.begin(caller, {"who": "Ada"}))

    assert execution.error is not None
    assert execution.error["nodeCode"] == "workflow_not_found"


async def test_a_workflow_that_calls_itself_ends_at_the_depth_limit(runner: Runner) -> None:
    slug = await runner.save(upper_body("who"))
    document = await runner.store.workflows.get(slug)
    await save_again(runner, document.slug, calling(slug))

    execution = await runner.end(await runner.begin(slug, {"who": "Ada"}))

    assert execution.error is not None
    assert execution.error["nodeCode"] == "loop_detected"
    child_id, depth = execution.id, 0
    while record := await runner.store.walks.records(runner.account.id, child_id):
        depth += 1
        assert int(record.get("depth", 1)) == depth
        child_id = child_execution_id(child_id, "call", 0)
    assert depth - 1 == 8


async def save_again(runner: Runner, slug: str, graph: Graph) -> None:
    from engine.graph.document import parse_document

    document = parse_document(graph.body())
    await runner.store.workflows.update(runner.account.id, slug, document, [])


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


async def test_large_results_of_children_are_objects_of_the_parent(
    runner: Runner, target: Target
) -> None:
    body = Graph("row").node("text", "textBox", text="{{ a }}" * 400)
    body.node("out", "responseOutput").wire("in.row > text.a", "text.text-out > out.result-in")
    rows = ["a" * 1_000, "b" * 1_000]

    execution = await runner.run(over(rows, body))

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    result = await runner.store.executions.get(runner.account.id, execution.id)
    assert result.status is ExecutionStatus.COMPLETED
    assert execution.result["results"] == [row * 400 for row in rows]


async def test_a_parent_that_is_held_for_another_node_learns_of_the_end_of_its_children(
    runner: Runner, target: Target
) -> None:
    graph = each_row()
    graph.node("call", "httpRequest", url=f"{target.url}/slow/30")
    graph.node("next", "httpRequest", url=f"{target.url}/n?{{{{ n }}}}")
    graph.wire("each.results-out > next.n", "next.response-out > out.result-in")
    graph.wire("call.response-out > out.result-in")
    execution_id = await runner.begin(await runner.save(graph))

    async with asyncio.timeout(PATIENCE_SECONDS):
        while not any(each.startswith("/n?") for each in target.calls):
            await asyncio.sleep(0.02)

    assert target.calls["/slow/30"] == 1
    await runner.store.executions.cancel(runner.account.id, execution_id)
