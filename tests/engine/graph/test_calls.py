"""Calls of other workflows in the nodes of a document."""

from typing import Any

import pytest

from engine.graph.calls import WorkflowCall, find_calls, nodes_with_bodies
from tests.support.gateway.documents import node

BODY = {"nodes": [node("sub", "subWorkflow", workflow="letter", version=3)], "edges": []}


def test_calls_are_found_in_bodies_of_any_depth() -> None:
    inner = node("inner", "forEach", body=BODY)
    nodes = [
        node("a", "subWorkflow", workflow="letter"),
        node("b", "forEach", workflow="post"),
        node("c", "forEach", body={"nodes": [inner], "edges": []}),
        node("text", "textBox", workflow="none", body=BODY),
    ]

    assert find_calls(nodes) == {
        WorkflowCall("letter", None),
        WorkflowCall("post", None),
        WorkflowCall("letter", 3),
    }
    assert [each["id"] for each in nodes_with_bodies(nodes)] == [
        *("a", "b", "c", "inner", "sub", "text")
    ]


@pytest.mark.parametrize(
    "data",
    [{}, {"workflow": 7}, {"workflow": "No slug"}, {"workflow": "a b"}, {"body": []}, None, "x"],
)
def test_settings_without_a_slug_are_no_call(data: Any) -> None:
    assert find_calls([{"id": "a", "type": "forEach", "data": data}]) == frozenset()


@pytest.mark.parametrize("version", [0, -1, True, "3", 1.5, None])
def test_a_version_that_is_none_is_that_of_the_live_one(version: Any) -> None:
    nodes = [node("a", "subWorkflow", workflow="letter", version=version)]

    assert find_calls(nodes) == {WorkflowCall("letter", None)}


@pytest.mark.parametrize("body", [{"nodes": 3}, {"nodes": [3, None]}, {}])
def test_a_body_that_is_no_graph_has_no_nodes(body: Any) -> None:
    nodes = [node("a", "forEach", body=body)]

    assert list(nodes_with_bodies(nodes)) == nodes
