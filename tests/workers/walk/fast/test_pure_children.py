"""Children of pure nodes: they are walked as they begin, with the same outcome."""

import pytest

from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.graph.plan import Plan, compile_plan
from engine.ids.executions import child_execution_id
from engine.services.runs.node_values import read_node
from engine.store.redis.record_packing import pack, unpack
from tests.support.factories import Graph, Runner, greeting, http_fan
from tests.support.graphs.nested_graphs import per_item
from workers.walk.fast.pure_children import walk_pure

SMALL = 16_384


def plan_of(graph: Graph) -> Plan:
    return compile_plan(graph.nodes, graph.edges)


def test_the_result_has_the_plain_form_for_the_parent() -> None:
    walked = walk_pure(plan_of(greeting()), pack({"who": "Ada"}), SMALL)

    assert walked is not None
    assert unpack(walked.result) == {"text": "Hello Ada"}
    assert unpack(walked.plain) == "Hello Ada"
    assert walked.codes == "ccc"


@pytest.mark.parametrize(
    ("graph", "inputs"),
    [
        (http_fan("http://1.1.1.1", 1), {}),
        (greeting(), {"who": "a" * SMALL}),
        (greeting(), {"who": {"no": 1}, "too": "many" * SMALL}),
    ],
)
def test_what_is_not_pure_or_not_small_needs_a_claim(graph: Graph, inputs: object) -> None:
    assert walk_pure(plan_of(graph), pack(inputs), SMALL) is None


async def run(runner: Runner, items: list[object]) -> Execution:
    graph = per_item(greeting(), onItemError="null")
    return await runner.run(graph, {"items": items})


@pytest.mark.usefixtures("walker")
async def test_children_of_pure_nodes_have_no_claim(runner: Runner) -> None:
    execution = await run(runner, ["Ada", "Bob"])

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert execution.result == {"results": ["Hello Ada", "Hello Bob"], "errors": []}
    child_id = child_execution_id(execution.id, "each", 1)
    record = await runner.store.walks.records(runner.account.id, child_id)
    assert "fence" not in record
    values = await read_node(runner.store, runner.account.id, child_id, "t0")
    assert values.outputs == {"text-out": "Hello Bob"}
    assert values.inputs == {"a": "Bob"}


@pytest.mark.usefixtures("walker")
async def test_a_large_item_is_walked_with_a_claim(runner: Runner) -> None:
    execution = await run(runner, ["a" * 100_000, "b"])

    assert execution.result["results"] == ["Hello " + "a" * 100_000, "Hello b"]
    child_id = child_execution_id(execution.id, "each", 0)
    record = await runner.store.walks.records(runner.account.id, child_id)
    assert record["fence"] == b"1"


@pytest.mark.usefixtures("walker")
async def test_an_item_that_does_not_fit_its_field_fails_alone(runner: Runner) -> None:
    execution = await run(runner, ["Ada", {"not": "a text"}])

    assert execution.result["results"] == ["Hello Ada", None]
    [error] = execution.result["errors"]
    assert (error["index"], error["code"]) == (1, "invalid_inputs")
