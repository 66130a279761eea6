"""Outputs that failed nodes leave, and failures that end the run."""

from typing import Any

from engine.graph.failures import ends_run, outputs_after
from engine.graph.plan import Node, compile_plan
from tests.support.factories import Graph

ERROR = {"code": "http_status", "message": "It answered 500"}
URL = "https://example.com"


def failing(node_type: str, output: str, **data: Any) -> Graph:
    graph = Graph("who").node("f", node_type, **data).node("out", "responseOutput")
    if node_type == "httpRequest":
        graph.wire("in.who > f.body-in")
    return graph.wire(f"f.{output} > out.result-in")


def node_of(graph: Graph) -> Node:
    return next(node for node in compile_plan(graph.nodes, graph.edges).nodes if node.id == "f")


def test_a_failure_ends_the_run_unless_it_goes_another_way() -> None:
    plain = node_of(failing("httpRequest", "response-out", url=URL))
    ways = [
        node_of(failing("httpRequest", "response-out", url=URL, onError="continue")),
        node_of(failing("httpRequest", "response-out", url=URL, onError="fallback")),
        node_of(failing("httpRequest", "error-out", url=URL)),
    ]

    assert ends_run(plain, "http_status")
    assert not any(ends_run(node, "http_status") for node in ways)
    assert all(ends_run(node, "MAX_CREDITS_EXCEEDED") for node in (plain, *ways))


def test_a_wired_error_is_all_that_a_failed_node_gives() -> None:
    node = node_of(failing("httpRequest", "error-out", url=URL))

    assert outputs_after(node, {**ERROR, "more": 1}, 3) == {
        "error-out": {**ERROR, "nodeId": "f", "attempts": 3}
    }


def test_fallback_values_are_given_at_all_outputs() -> None:
    graph = failing(
        "httpRequest", "status-out", url=URL, onError="fallback", fallback={"response-out": [1]}
    )

    assert outputs_after(node_of(graph), ERROR, 1) == {"response-out": [1], "status-out": None}


def test_a_node_that_goes_on_alone_gives_nulls() -> None:
    graph = failing("httpRequest", "response-out", url=URL, onError="continue")

    assert outputs_after(node_of(graph), ERROR, 1) is None


def test_an_approval_that_fails_takes_no_way_but_one_that_its_fallback_names() -> None:
    def failed(**data: Any) -> Any:
        graph = Graph("who").node("f", "approval", title="Go?", **data)
        graph.wire("in.who > f.value-in").node("out", "responseOutput")
        return outputs_after(node_of(graph.wire("f.refused-out > out.result-in")), ERROR, 1)

    fallback = {"refused-out": "no"}

    assert failed(onError="continue") == {"answer-out": None}
    assert failed(onError="fallback") == {"answer-out": None}
    assert failed(onError="fallback", fallback=fallback) == {"answer-out": None, **fallback}
