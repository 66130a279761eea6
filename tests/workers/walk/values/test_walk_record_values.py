"""Values that a workflow does not record: removed by the step that ends its executions."""

from pathlib import Path
from typing import Any

import pytest

from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.graph.document import parse_document
from engine.services.runs.node_values import read_node
from engine.settings import Settings
from engine.store import Store
from engine.store.executions.record_fields import has_all_outputs
from engine.store.redis import keyspace
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner, greeting
from tests.support.media.object_files import outputs_of
from tests.support.workers.held_walker import HeldWalker
from workers.walk.walker import Walker

LARGE = "a-canary" * 40_000
SMALL = "a-canary"


def measured(expression: str = "size(value)") -> Graph:
    """A form, an expression that makes its text longer, and one that makes the result."""
    graph = Graph("who").node("sum", "transform", expression="value + 'y'")
    graph.wire("in.who > sum.value-in").node("size", "transform", expression=expression)
    graph.wire("sum.value-out > size.value-in").node("out", "responseOutput")
    return graph.wire("size.value-out > out.result-in")


async def run(runner: Runner, graph: Graph, recorded: str, who: str = SMALL) -> Execution:
    document = parse_document(graph.body() | {"recordValues": recorded})
    workflow = await runner.store.workflows.create(runner.account.id, document, [])
    return await runner.end(await runner.begin(workflow.slug, {"who": who}))


async def record_of(runner: Runner, execution: Execution) -> dict[str, bytes]:
    return await runner.store.walks.records(runner.account.id, execution.id)


def canaries(record: dict[str, Any]) -> list[str]:
    return [name for name, value in record.items() if SMALL.encode() in value]


@pytest.mark.parametrize("graph", [measured(), greeting(1)], ids=["claimed", "before its claim"])
async def test_nothing_but_the_result_is_kept_of_an_execution_that_records_none(
    runner: Runner, walker: Walker, graph: Graph
) -> None:
    execution = await run(runner, graph, "none")

    record = await record_of(runner, execution)
    shown = await read_node(runner.store, runner.account.id, execution.id, "in")
    details = await runner.store.executions.details(runner.account.id, execution.id)

    assert execution.status is ExecutionStatus.COMPLETED
    assert execution.result is not None
    assert set(canaries(record)) <= {"result"}
    assert (shown.inputs, shown.outputs, shown.is_recorded) == (None, None, False)
    assert len(shown.attempts.attempts) == 1
    assert (details.inputs, details.inputs_bytes) == (None, 0)
    assert not has_all_outputs(record)


async def test_values_of_failed_executions_alone_are_kept(runner: Runner, walker: Walker) -> None:
    completed = await run(runner, measured(), "failed")
    failed = await run(runner, measured("value.nothing"), "failed")

    assert completed.status is ExecutionStatus.COMPLETED
    assert canaries(await record_of(runner, completed)) == []
    record = await record_of(runner, failed)
    assert failed.status is ExecutionStatus.FAILED
    assert has_all_outputs(record)
    shown = await read_node(runner.store, runner.account.id, failed.id, "size")
    assert (shown.inputs, shown.is_recorded) == ({"value-in": SMALL + "y"}, True)


async def test_all_values_are_kept_by_default(runner: Runner, walker: Walker) -> None:
    execution = await run(runner, measured(), "all")

    record = await record_of(runner, execution)

    assert has_all_outputs(record)
    assert not any(name.startswith("o") and "." in name for name in record)


async def test_large_values_go_from_the_blob_store_and_a_large_result_stays(
    runner: Runner, walker: Walker, settings: Settings
) -> None:
    execution = await run(runner, measured("value + 'z'"), "none", who=LARGE)

    def objects() -> list[Path]:
        return outputs_of(settings, runner.account.id, execution.id)

    async def count() -> int:
        return len(objects())

    assert execution.result == LARGE + "yz"
    await eventually(count, lambda found: found == 1)
    found = await runner.store.executions.get(runner.account.id, execution.id)
    assert found.result == LARGE + "yz"


async def test_large_values_of_a_dead_worker_go_by_a_sweep(
    runner: Runner, walker: Walker, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(*args: object) -> None:
        return

    monkeypatch.setattr("workers.walk.values.outputs.OutputStore.remove_dropped", die)
    execution = await run(runner, measured(), "none", who=LARGE)
    kept = await run(runner, measured(), "all", who=LARGE)
    monkeypatch.setattr("engine.store.executions.offload.ACCEPTING_MS", -1)

    await runner.store.offloaded.sweep()

    assert outputs_of(settings, runner.account.id, execution.id) == []
    assert len(outputs_of(settings, runner.account.id, kept.id)) == 2


async def test_a_cancelled_execution_keeps_no_values_either(
    store: Store, runner: Runner, settings: Settings
) -> None:
    document = parse_document(measured().body() | {"recordValues": "none"})
    workflow = await store.workflows.create(runner.account.id, document, [])
    execution_id = await runner.begin(workflow.slug, {"who": LARGE})

    await store.executions.cancel(runner.account.id, execution_id)

    details = await store.executions.details(runner.account.id, execution_id)
    assert details.inputs_bytes == 0
    assert outputs_of(settings, runner.account.id, execution_id) == []


async def test_values_stay_for_another_worker_while_the_execution_runs(
    store: Store, runner: Runner
) -> None:
    graph = Graph("who").node("sum", "textBox", text="{{ a }}y").wire("in.who > sum.a")
    graph.node("call", "httpRequest", url="https://example.com/", method="POST")
    graph.wire("sum.text-out > call.body-in").node("out", "responseOutput")
    graph.wire("call.response-out > out.result-in", "sum.text-out > out.result-in")
    document = parse_document(graph.body() | {"recordValues": "none"})
    workflow = await store.workflows.create(runner.account.id, document, [])
    execution_id = await runner.begin(workflow.slug, {"who": SMALL})
    reference = keyspace.reference(runner.account.id, execution_id)
    dying, living = HeldWalker(store, worker_id="w-1"), HeldWalker(store, worker_id="w-2")
    dying.walker.take_hint(reference)
    await dying.gate.called(1)
    await store.walks.give_back(reference, "w-1", is_lost=True)

    living.gate.opened.set()
    living.walker.take_hint(reference)
    execution = await runner.end(execution_id)

    assert SMALL + "y" in str(execution.result)
    record = await store.walks.records(runner.account.id, execution_id)
    assert set(canaries(record)) == {"result"}
    await dying.walker.drain(0)
    await living.walker.drain(0)


async def test_events_of_a_workflow_that_records_none_show_no_outputs(
    runner: Runner, walker: Walker
) -> None:
    document = parse_document(measured().body() | {"recordValues": "none"})
    workflow = await runner.store.workflows.create(runner.account.id, document, [])
    execution_id = await runner.begin(workflow.slug, {"who": SMALL}, watcher="")
    await runner.end(execution_id)

    page = await runner.store.events.read(runner.account.id, execution_id, 1)

    nodes = [node for entry in page.entries for node in getattr(entry, "settled", ())]
    assert nodes
    assert all(node.outputs is None for node in nodes)
