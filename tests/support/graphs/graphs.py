"""Short graphs for tests, and their problems."""

from typing import Any

from engine.graph.plan import check_graph
from tests.support.graphs.graph_checkers import judge
from tests.support.graphs.graph_text import edge, node

Graph = tuple[list[dict[str, Any]], list[dict[str, Any]]]

NODES = [
    node(
        "in",
        "requestInput",
        fields=[{"name": "topic", "type": "text"}, {"name": "n", "type": "number"}],
    ),
    node("text", "textBox", text="{{ topic }} {{ more.n }}"),
    node("out", "responseOutput"),
]
EDGES = [
    edge("in.topic", "text.topic"),
    edge("in.params", "text.more"),
    edge("text.text-out", "out.result-in"),
]


def problems(nodes: list[dict[str, Any]], edges: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [problem.as_dict() for problem in check_graph(nodes, edges, judge=judge)]


def only(nodes: list[dict[str, Any]], edges: list[dict[str, Any]]) -> dict[str, str]:
    (problem,) = problems(nodes, edges)
    return problem


def pairs_to_edges(pairs: Any) -> list[dict[str, Any]]:
    return [
        edge(f"n{a}.items-out", f"n{b}.items-in", id=str(number))
        for number, (a, b) in enumerate(pairs)
    ]
