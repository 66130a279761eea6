"""Checks of graphs by themselves."""

from decimal import Decimal
from typing import Any

from engine.services.check_workflow import WorkflowCheck, check_nodes
from tests.support.gateway.documents import edge, greeting, node


def check(*nodes: Any, edges: Any = (), **options: Any) -> WorkflowCheck:
    return check_nodes(nodes, edges, Decimal(1), **options)


def test_a_cycle_is_left_out_of_the_estimate() -> None:
    nodes = [
        node("a", "textBox", text="{{ b }}"),
        node("b", "textBox", text="{{ a }}"),
        node("say", "customModel", model="echo", prompt="Hello"),
        node("out", "responseOutput"),
    ]
    edges = [
        edge("a", "text-out", "b", "a"),
        edge("b", "text-out", "a", "b"),
        edge("say", "text-out", "out", "result-in"),
    ]

    found = check(*nodes, edges=edges)

    assert [problem.node_id for problem in found.problems] == ["a"]
    assert list(found.costs) == ["say"]


def test_a_node_that_the_output_does_not_need_costs_nothing() -> None:
    found = check(node("say", "customModel", model="echo", prompt="Hello"))

    assert found.costs == {}


def test_inputs_are_checked_one_by_one() -> None:
    document = greeting()

    found = check(*document["nodes"], edges=document["edges"], inputs={"name": 5, "other": 1})

    assert [(each.node_id, each.field) for each in found.problems] == [("in", "inputs.name")]
    missing = check(*document["nodes"], edges=document["edges"], inputs={})
    assert [str(each.reason) for each in missing.problems] == ["Input 'name': is required"]


def test_a_graph_over_the_limits_has_no_sockets() -> None:
    found = check(*(node(f"n{i}", "note") for i in range(1_001)))

    assert (len(found.problems), found.sockets) == (1, {})
