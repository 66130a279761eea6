"""Features of graphs, by which a worker sees what it would misunderstand."""

import pytest

from engine.graph.features import (
    COMMON,
    UnknownPart,
    base_features,
    features_of,
    find_unknown,
    known_features,
    needs_of,
)
from engine.nodes import NODE_TYPES
from tests.support.factories import Graph, greeting
from tests.support.nodes.later_type import LATER, known_later


def calling(**data: object) -> Graph:
    graph = Graph("who").node("h", "httpRequest", url="https://example.com", **data)
    graph.node("out", "responseOutput").node("n", "note", text="x")
    return graph.wire("in.who > h.body-in", "h.response-out > out.result-in")


def test_no_release_forgets_a_feature_of_the_first_one() -> None:
    known = known_features(COMMON).union(*(known_features(each.type) for each in NODE_TYPES))

    assert base_features() - known == set()


def test_features_are_types_and_settings_and_choices_and_fixed_sockets() -> None:
    retry = {"attempts": 2, "backoff": None, "other": 1}
    graph = calling(retry=retry, bodyType="form", onError="continue", own=1, each=None)

    found = features_of(graph.nodes, graph.edges)

    of_call = {each.removeprefix("httpRequest") for each in found if each.startswith("httpRequest")}
    assert of_call == {"", ".url", ".bodyType", ".bodyType=form", "<body-in", ">response-out"}
    assert {each for each in found if each.startswith(COMMON)} == {
        *("*.retry", "*.retry.attempts", "*.onError", "*.onError=continue")
    }
    assert {"requestInput.fields.type=text", "responseOutput<result-in", "note.text"} <= found
    assert "requestInput>who" not in found


def test_graphs_of_the_first_release_need_nothing() -> None:
    for graph in (greeting(), calling(retry={"attempts": 2}, each=True)):
        assert needs_of(graph.nodes, graph.edges) == []


def test_failures_that_branch_came_after_the_first_release() -> None:
    falling = calling(onError="fallback", fallback={"response-out": 1})
    branching = calling().wire("h.error-out > out.result-in")

    assert needs_of(falling.nodes, falling.edges) == ["*.fallback", "*.onError=fallback"]
    assert needs_of(branching.nodes, branching.edges) == ["httpRequest>error-out"]


def test_a_graph_needs_what_came_later() -> None:
    graph = Graph("who").node("t", LATER, milk=True).node("out", "responseOutput")
    graph.wire("in.who > t.value-in", "t.text-out > out.result-in")
    with known_later():
        needs = needs_of(graph.nodes, graph.edges)
        named = [("t", LATER)]

        assert find_unknown(named, needs) is None
    assert needs == [LATER, "teaTime.milk", "teaTime<value-in", "teaTime>text-out"]
    assert find_unknown(named, needs) == UnknownPart("the node type 'teaTime'", "t")


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        ("httpRequest.proxy", "the setting 'proxy' of 'httpRequest'"),
        ("httpRequest.auth.scope", "the setting 'auth.scope' of 'httpRequest'"),
        ("httpRequest.bodyType=xml", "the value 'xml' of the setting 'bodyType' of 'httpRequest'"),
        ("httpRequest>stream-out", "the socket 'stream-out' of 'httpRequest'"),
        ("*.onError=ask", "the value 'ask' of the setting 'onError'"),
        ("*.priority", "the setting 'priority'"),
    ],
)
def test_an_unknown_feature_is_named_with_its_node(feature: str, words: str) -> None:
    nodes = [("a", "textBox"), ("b", "httpRequest")]
    node_id = "a" if feature.startswith(COMMON) else "b"

    found = find_unknown(nodes, ["httpRequest.url", "*.retry", feature])

    assert found == UnknownPart(words, node_id)
