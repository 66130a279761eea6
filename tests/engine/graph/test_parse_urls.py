"""Fixed URLs in a saved graph: private ones are problems unless allowed."""

from typing import Any

import pytest

from engine.graph.plan import check_graph, compile_plan
from tests.support.factories import Graph

ADDRESS = "url: The URL leads to an address that is not public"
METADATA = "url: The URL leads to a link-local address or a metadata service"
NAME = "url: The URL leads to a name that is not public"
PORT = "url: Only the ports 80 and 443 may be called"


def calling(url: str) -> Graph:
    graph = Graph("a").node("call", "httpRequest", url=url).node("out", "responseOutput")
    if "{{" in url:
        graph.wire("in.a > call.a")
    return graph.wire("call.response-out > out.result-in")


def problems(graph: Graph, **more: Any) -> list[dict[str, str]]:
    return [problem.as_dict() for problem in check_graph(graph.nodes, graph.edges, **more)]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1/", ADDRESS),
        ("http://169.254.169.254/latest/meta-data/", METADATA),
        ("http://[::ffff:10.0.0.1]/x", ADDRESS),
        ("http://localhost", NAME),
        ("http://redis/{{ a }}", NAME),
        ("http://10.0.0.1/{{ a }}", ADDRESS),
        ("http://10.0.0.1?q={{ a }}", ADDRESS),
        ("HTTPS://10.0.0.1/{{ a }}?q={{ a }}", ADDRESS),
        ("https://a.example:8443/{{ a }}", PORT),
    ],
)
def test_a_fixed_private_url_is_a_problem(url: str, reason: str) -> None:
    assert problems(calling(url)) == [{"nodeId": "call", "reason": reason}]


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/",
        "https://a.example/{{ a }}",
        "{{ a }}",
        "{{ a }}/x",
        "http://{{ a }}",
        "http://{{ a }}.example/",
        "http://127.0.0.{{ a }}/",
        "http://127.0.0.1{{ a }}/",
        "http://127.0.0.1:{{ a }}/",
    ],
)
def test_what_is_not_known_yet_is_left_to_the_run(url: str) -> None:
    assert problems(calling(url)) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://redis/{{ a }}"])
def test_a_private_url_is_no_problem_where_it_is_allowed(url: str) -> None:
    assert problems(calling(url), allow_private=True) == []


def test_a_private_url_that_was_saved_still_has_a_plan() -> None:
    graph = calling("http://127.0.0.1:9/")

    assert len(compile_plan(graph.nodes, graph.edges).nodes) == 3
