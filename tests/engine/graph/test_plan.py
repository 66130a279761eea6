"""Compilation of valid graphs to plans."""

import json
from pathlib import Path

import pytest

from engine.graph.document import parse_document
from engine.graph.plan import check_graph, compile_plan, name_nodes
from engine.nodes.support.policy import Policy
from engine.values.sockets import SocketType
from tests.support.graphs.graph_text import edge, node
from tests.support.graphs.graphs import EDGES, NODES, problems


def test_a_graph_that_can_run_becomes_a_plan() -> None:
    plan = compile_plan(NODES, EDGES)

    assert [each.id for each in plan.nodes] == ["in", "text", "out"]
    assert [each.index for each in plan.nodes] == [0, 1, 2]
    assert [each.dependencies for each in plan.nodes] == [(), (0,), (1,)]
    assert [each.dependents for each in plan.nodes] == [(1,), (2,), ()]
    assert [each.many for each in plan.nodes] == [frozenset(), frozenset(), {"result-in"}]
    assert (plan.request_input, plan.response_output) == (0, 2)
    assert plan.reachable == {0, 1, 2}
    assert [each.name for each in plan.fields] == ["topic", "n"]
    assert plan.strict_inputs is False
    assert plan.values == {}
    assert plan.models == {}


def test_wires_say_where_they_come_from_in_the_order_of_the_edges() -> None:
    plan = compile_plan(NODES, [EDGES[1], EDGES[0], EDGES[2]])

    in_edges = [
        (wire.socket, wire.source, wire.output, wire.type) for wire in plan.nodes[1].in_edges
    ]
    assert in_edges == [
        ("more", 0, "params", SocketType.ANY),
        ("topic", 0, "topic", SocketType.TEXT),
    ]


def test_ties_are_broken_by_the_order_in_the_document() -> None:
    names = ["c", "a", "d", "b"]

    plan = compile_plan([node(name, "list") for name in names], [edge("d.items-out", "c.items-in")])

    assert [each.id for each in plan.nodes] == ["a", "d", "c", "b"]


def test_nodes_are_named_in_the_order_of_the_plan_though_their_types_are_gone() -> None:
    nodes = [node(name, "list") for name in ("c", "a", "d", "b")]
    edges = [edge("d.items-out", "c.items-in"), edge("b.items-out", "d.items-in")]
    gone = [each | {"type": "gone"} for each in nodes]

    plan = compile_plan(nodes, edges)

    assert name_nodes(nodes, edges) == plan.names
    assert [name.id for name in name_nodes(gone, edges)] == [each.id for each in plan.nodes]


def test_the_plan_has_policy_strictness_and_saved_values() -> None:
    nodes = [
        node(
            "in",
            "requestInput",
            fields=[{"name": "topic", "type": "text"}],
            values={"topic": "cats", "gone": 1},
            strict=True,
        ),
        node(
            "call", "httpRequest", url="https://a.example", timeoutSeconds=2, retry={"attempts": 3}
        ),
    ]

    plan = compile_plan(nodes, [])

    assert plan.strict_inputs is True
    assert plan.values == {"topic": "cats"}
    assert plan.nodes[1].policy == Policy(attempts=3, backoff=1.0, timeout_seconds=2.0)


def test_a_form_with_a_field_called_params_runs_as_before_and_cannot_be_saved() -> None:
    fields = [{"name": "params", "type": "json"}, {"name": "n", "type": "number"}]
    nodes = [node("in", "requestInput", fields=fields), node("out", "responseOutput")]
    edges = [edge("in.params", "out.result-in")]

    assert compile_plan(nodes, edges).unused_fields == frozenset()
    (problem,) = check_graph(nodes, edges)
    assert (problem.node_id, problem.field) == ("in", "fields[0].name")


def test_without_a_request_input_there_are_no_fields() -> None:
    plan = compile_plan([node("out", "responseOutput")], [])

    assert plan.request_input is None
    assert plan.fields == () and plan.values == {}


def test_without_a_response_output_nothing_is_reachable() -> None:
    plan = compile_plan([node("a", "list"), node("b", "list")], [])

    assert plan.response_output is None
    assert plan.reachable == frozenset()


def test_an_empty_graph_is_a_plan_too() -> None:
    assert compile_plan([], []).nodes == ()


def test_what_does_not_lead_to_the_output_is_not_reachable() -> None:
    nodes = [*NODES, node("aside", "textBox", text="{{ t }}"), node("n", "note", text="hello")]

    plan = compile_plan(nodes, [*EDGES, edge("in.topic", "aside.t")])

    assert {plan.nodes[index].id for index in plan.reachable} == {"in", "text", "out"}


def test_a_node_wired_twice_to_another_depends_on_it_once() -> None:
    nodes = [node("a", "list"), node("b", "list")]
    edges = [edge("a.items-out", "b.items-in", id="1"), edge("a.items-out", "b.items-in", id="2")]

    plan = compile_plan(nodes, edges)

    assert plan.nodes[1].dependencies == (0,)
    assert plan.nodes[0].dependents == (1,)
    assert len(plan.nodes[1].in_edges) == 2


@pytest.mark.parametrize("is_wired", [True, False])
def test_an_http_request_knows_whether_its_status_is_wired(is_wired: bool) -> None:
    nodes = [node("call", "httpRequest", url="https://a.example"), node("out", "responseOutput")]
    edges = [edge("call.response-out", "out.result-in"), edge("call.status-out", "out.result-in")]

    plan = compile_plan(nodes, edges if is_wired else edges[:1])

    assert plan.nodes[0].settings.reads_status is is_wired


@pytest.mark.parametrize(
    "path", sorted(Path("examples").rglob("*.json")), ids=lambda path: path.stem
)
def test_every_example_can_run(path: Path) -> None:
    document = parse_document(json.loads(path.read_text()))

    assert problems(document.nodes, document.edges) == []
