"""Graphs inside of a document's nodes."""

from typing import Any

import pytest

from engine.graph.bodies import all_graphs
from engine.graph.features import features_of, needs_of
from tests.support.factories import Graph, greeting
from tests.support.graphs.nested import body_of, each_row, upper_body


def test_all_graphs_are_found_with_the_nodes_around_them() -> None:
    inner = each_row()
    inner.node("two", "forEach", body=body_of(upper_body("x")))
    graph = each_row(inner)

    found = {each.path: each for each in all_graphs(graph.nodes, graph.edges)}

    assert set(found) == {(), ("each",), ("each", "each"), ("each", "two")}
    assert found[()].nodes == graph.nodes and found[()].edges == graph.edges
    assert found["each", "each"].edges == upper_body().edges


@pytest.mark.parametrize(
    "node",
    [
        {"id": "a", "type": "forEach"},
        {"id": "a", "type": "forEach", "data": None},
        {"id": "a", "type": "forEach", "data": {"body": {"nodes": [1], "edges": []}}},
        {"id": 1, "type": "forEach", "data": {"body": {"nodes": [], "edges": []}}},
        {"id": "a", "type": "textBox", "data": {"body": {"nodes": [], "edges": []}}},
        {},
    ],
)
def test_invalid_bodies_are_left_out(node: dict[str, Any]) -> None:
    assert [each.path for each in all_graphs([node])] == [()]


def test_bodies_that_are_nested_deeper_than_runs_are_left_out() -> None:
    graph = upper_body()
    for _ in range(12):
        graph = Graph().node("e", "forEach", body=body_of(graph))

    assert max(len(each.path) for each in all_graphs(graph.nodes)) == 8


def test_the_features_of_bodies_are_features_of_the_graph() -> None:
    body = upper_body().node("h", "httpRequest", url="https://a.example", each=True)
    graph = each_row(each_row(body))

    found = features_of(graph.nodes, graph.edges)

    assert {"httpRequest.each", "forEach.body.nodes", "textBox>text-out"} <= found
    assert "forEach" in needs_of(graph.nodes, graph.edges)
    assert needs_of(greeting().nodes, greeting().edges) == []
