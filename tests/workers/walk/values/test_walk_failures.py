"""Failed nodes of which the run goes on: fallback values, and the error as a branch."""

from typing import Any

import pytest

from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.services.runs.node_values import read_node
from engine.store import Store
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner
from tests.support.http.scripted_server import Target
from tests.support.workers.worker_process import worker_processes

CALL_FAILED = "http_status"


def statuses(execution: Execution, graph: Graph) -> dict[str, str]:
    """Return the status of each node of a graph whose document has the order of its plan."""
    ids = [node["id"] for node in graph.nodes]
    return {ids[node.index]: node.status.value for node in execution.nodes}


def branching(url: str, **data: Any) -> Graph:
    """A call; its answer goes to `good`, its error to `bad`."""
    graph = Graph("who").node("f", "httpRequest", url=url, method="POST", **data)
    graph.node("good", "textBox", text="good {{ a }}").node("bad", "textBox", text="bad {{ a }}")
    graph.node("out", "responseOutput", fields=[{"name": "good"}, {"name": "bad"}])
    return graph.wire(
        *("in.who > f.body-in", "f.response-out > good.a", "f.error-out > bad.a"),
        *("good.text-out > out.good", "bad.text-out > out.bad"),
    )


def falling(url: str, fallback: dict[str, Any], **data: Any) -> Graph:
    """A call with fallback values, whose outputs are the result."""
    graph = Graph().node("f", "httpRequest", url=url, onError="fallback", fallback=fallback, **data)
    graph.node("out", "responseOutput", fields=[{"name": "answer"}, {"name": "status"}])
    return graph.wire("f.response-out > out.answer", "f.status-out > out.status")


@pytest.mark.usefixtures("walker")
async def test_a_failure_takes_the_edge_of_its_error_alone(runner: Runner, target: Target) -> None:
    graph = branching(f"{target.url}/status/500", retry={"attempts": 3, "backoff": 0.01})

    execution = await runner.run(graph, {"who": "Ada"})

    assert execution.status is ExecutionStatus.COMPLETED
    assert [node.status.value for node in execution.nodes] == [
        *("completed", "failed", "skipped", "completed", "completed")
    ]
    assert execution.result["good"] is None
    assert execution.result["bad"].startswith(f'bad {{"code":"{CALL_FAILED}","message":"')
    assert execution.result["bad"].endswith('"nodeId":"f","attempts":3}')


@pytest.mark.usefixtures("walker")
async def test_a_success_leaves_the_edge_of_the_error_undelivered(
    runner: Runner, target: Target
) -> None:
    graph = branching(f"{target.url}/echo?n=7")

    execution = await runner.run(graph, {"who": "Ada"})

    assert statuses(execution, graph)["bad"] == "skipped"
    assert execution.result == {"good": 'good {"n":7,"kind":"echo"}', "bad": None}


@pytest.mark.usefixtures("walker")
async def test_a_pure_node_sends_its_error_along_an_edge(runner: Runner) -> None:
    graph = Graph("who").node("f", "textBox", text="{{ a.b }}").node("out", "responseOutput")
    graph.node("none", "textBox", text="{{ a }}").wire("in.who > f.a", "f.error-out > none.a")
    graph.wire("f.text-out > out.result-in", "none.text-out > out.result-in")

    execution = await runner.run(graph, {"who": "Ada"})

    assert execution.nodes[1].status.value == "failed"
    assert '"code":"template_error"' in execution.result["text"]


@pytest.mark.usefixtures("walker")
async def test_a_run_without_a_failure_skips_pure_nodes_at_an_error(runner: Runner) -> None:
    graph = Graph("who").node("f", "textBox", text="{{ a }}").node("out", "responseOutput")
    graph.node("none", "textBox", text="{{ a }}").wire("in.who > f.a", "f.error-out > none.a")
    graph.wire("f.text-out > out.result-in", "none.text-out > out.result-in")

    execution = await runner.run(graph, {"who": "Ada"})

    assert execution.nodes[2].status.value == "skipped"
    assert execution.result == {"text": "Ada"}


@pytest.mark.usefixtures("walker")
async def test_fallback_values_take_the_place_of_the_outputs(
    store: Store, runner: Runner, target: Target
) -> None:
    graph = falling(f"{target.url}/closed", {"response-out": {"n": [0]}}, timeoutSeconds=0.000001)

    execution = await runner.run(graph)

    assert execution.status is ExecutionStatus.COMPLETED
    assert execution.result == {"answer": {"n": [0]}, "status": None}
    assert statuses(execution, graph) == {"f": "failed", "out": "completed"}
    failed = await read_node(store, runner.account.id, execution.id, "f")
    last = await read_node(store, runner.account.id, execution.id, "out")
    assert failed.outputs == {"response-out": {"n": [0]}, "status-out": None}
    assert last.inputs == {"answer": [{"n": [0]}], "status": [None]}


@pytest.mark.usefixtures("walker")
async def test_a_node_shows_the_error_that_it_gave(
    store: Store, runner: Runner, target: Target
) -> None:
    execution = await runner.run(branching(f"{target.url}/status/404"), {"who": "Ada"})

    failed = await read_node(store, runner.account.id, execution.id, "f")
    after = await read_node(store, runner.account.id, execution.id, "bad")

    assert failed.outputs is not None
    error = failed.outputs["error-out"]
    assert (error["code"], error["nodeId"], error["attempts"]) == (CALL_FAILED, "f", 1)
    assert after.inputs == {"a": error}


@pytest.mark.parametrize("is_fallback", [True, False])
async def test_another_worker_goes_on_from_a_failure(
    redis_url: str, store: Store, runner: Runner, target: Target, is_fallback: bool
) -> None:
    """The worker is gone after the failure is on record; the next one restores its outputs."""
    graph = Graph("who").node("out", "responseOutput", fields=[{"name": "a"}, {"name": "b"}])
    ways: dict[str, Any] = {"onError": "fallback", "fallback": {"response-out": "instead"}}
    graph.node("f", "httpRequest", url=f"{target.url}/status/404", **ways if is_fallback else {})
    output = "response-out" if is_fallback else "error-out"
    graph.node("slow", "httpRequest", url=f"{target.url}/slow/1", method="POST")
    graph.wire("f.response-out > out.a", f"f.{output} > slow.body-in", f"f.{output} > out.b")
    graph.wire("slow.response-out > out.a")
    slug = await runner.save(graph)
    async with worker_processes(redis_url, 1, HEADRACE_LEASE_SECONDS="1"):
        execution_id = await runner.begin(slug, {"who": "Ada"})
        await eventually(_async(lambda: target.calls["/slow/1"]))
    async with worker_processes(redis_url, 1, HEADRACE_LEASE_SECONDS="1"):
        execution = await runner.end(execution_id)

    assert execution.status is ExecutionStatus.COMPLETED
    assert target.calls["/slow/1"] == 2
    assert target.calls["/status/404"] == 1
    slow = {"n": 0, "kind": "slow"}
    if is_fallback:
        assert execution.result == {"a": ["instead", slow], "b": "instead"}
    else:
        assert execution.result["a"] == slow
        assert execution.result["b"]["code"] == CALL_FAILED


def _async(read: Any) -> Any:
    async def call() -> Any:
        return read()

    return call
