"""Settings for failures at save: the socket of the error, and fallback values."""

from typing import Any

import pytest

from engine.graph.plan import check_graph
from engine.nodes import NODE_TYPES
from engine.nodes.catalogue import list_node_types
from tests.support.factories import Graph

URL = "https://example.com"
HTTP = {"url": URL}
SWITCH = {"cases": [{"name": "one", "when": "true"}]}
WITHOUT_ERRORS = {"requestInput", "list", "merge", "note", "responseOutput"}


def problems(graph: Graph) -> list[dict[str, str]]:
    return [problem.as_detail() for problem in check_graph(graph.nodes, graph.edges)]


def branching(node_type: str, **data: Any) -> Graph:
    graph = Graph().node("f", node_type, **data).node("out", "responseOutput")
    return graph.wire("f.error-out > out.result-in")


def test_types_that_can_fail_have_an_output_for_the_error() -> None:
    shown = {each.type: "error-out" in each.sockets.outputs for each in list_node_types()}

    assert shown == {each.type: each.type not in WITHOUT_ERRORS for each in NODE_TYPES}


@pytest.mark.parametrize(
    ("node_type", "data", "fallback"),
    [
        ("httpRequest", HTTP, {}),
        ("httpRequest", HTTP, {"response-out": {"any": ["thing", 1]}, "status-out": None}),
        ("textBox", {"text": "x"}, {"text-out": "y"}),
        ("textBox", {"text": "x"}, {"text-out": ["y", "z"]}),
        ("upload", {"kind": "image"}, {"image-out": "https://example.com/a.png"}),
        ("switch", SWITCH | {"variables": ["a"]}, {"one": 1, "else-out": False}),
    ],
)
def test_values_of_the_types_of_their_sockets_can_be_saved(
    node_type: str, data: dict[str, Any], fallback: dict[str, Any]
) -> None:
    graph = Graph("who").node("f", node_type, **data, onError="fallback", fallback=fallback)

    assert [each for each in problems(graph) if "fallback" in each.get("field", "")] == []


@pytest.mark.parametrize(
    ("node_type", "data", "fallback", "reason"),
    [
        (
            "textBox",
            {"text": "x"},
            {"text-out": 5},
            "fallback.text-out must be a text, a list of texts or null, not a number",
        ),
        (
            "textBox",
            {"text": "x"},
            {"text-out": ["a", {}]},
            "fallback.text-out must be a text, a list of texts or null, not an object",
        ),
        (
            "textBox",
            {"text": "x"},
            {"value-out": "a"},
            "fallback.value-out: the node has no output 'value-out' to fall back at; "
            "it has 'text-out'",
        ),
        (
            "httpRequest",
            HTTP,
            {"error-out": 1},
            "fallback.error-out: the node has no output 'error-out' to fall back at; "
            "it has 'response-out', 'status-out'",
        ),
        (
            "imageConvert",
            {"format": "png"},
            {"image-out": "a cat"},
            "fallback.image-out must be the URL of the image, which begins with https://",
        ),
        ("textBox", {"text": "x"}, ["a"], "fallback must be an object with a value per output"),
    ],
)
def test_a_value_that_fits_no_socket_is_a_problem_of_its_setting(
    node_type: str, data: dict[str, Any], fallback: Any, reason: str
) -> None:
    graph = Graph("who").node("f", node_type, **data, onError="fallback", fallback=fallback)

    [problem] = [each for each in problems(graph) if each.get("field", "").startswith("fallback")]

    assert problem["nodeId"] == "f"
    assert problem["reason"].startswith(reason)


@pytest.mark.parametrize("on_error", ["continue", "fallback"])
def test_an_edge_for_the_error_and_another_way_to_go_on_are_a_problem(on_error: str) -> None:
    [problem] = problems(branching("httpRequest", url=URL, onError=on_error))

    assert (problem["edgeId"], problem["socket"]) == ("e0", "error-out")
    assert "'error-out' of 'f': onError sends failures another way" in problem["reason"]
    assert problems(branching("httpRequest", url=URL, onError="fail")) == []


def test_a_type_that_cannot_fail_has_no_edge_for_an_error() -> None:
    problem, *_ = problems(branching("merge"))

    assert problem["reason"].startswith("'f' (merge) has no output socket 'error-out'")
