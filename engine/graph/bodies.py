"""Graphs inside of a document's nodes: the bodies of `forEach`, in all depths."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.executions.run_depth import MAX_DEPTH
from engine.nodes.for_each import ForEach
from engine.nodes.support.children_settings import BODY
from engine.nodes.support.settings import Faults

Elements = Sequence[Mapping[str, Any]]
"""Nodes or edges of a document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerGraph:
    """Nodes and edges of a document, or of a body in it."""

    path: tuple[str, ...]
    """Ids of the nodes around it, from the outermost one; empty for the document's own graph."""
    nodes: Elements
    edges: Elements


def all_graphs(nodes: Elements, edges: Elements = ()) -> Iterator[InnerGraph]:
    """Yield a document's graph and all bodies in it; invalid bodies are left out."""
    pending = [InnerGraph(path=(), nodes=nodes, edges=edges)]
    while pending:
        graph = pending.pop()
        yield graph
        if len(graph.path) < MAX_DEPTH:
            pending += _bodies(graph)


def graph_size(nodes: Elements, edges: Elements = ()) -> int:
    """Return the number of nodes and edges of a graph and its bodies."""
    return sum(len(each.nodes) + len(each.edges) for each in all_graphs(nodes, edges))


def walk_nodes(nodes: Elements) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Yield all nodes, with those of bodies, by their ids from the outermost node on."""
    for graph in all_graphs(nodes):
        for node in graph.nodes:
            yield (*graph.path, str(node.get("id"))), node


def change_nodes(
    nodes: Elements, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the graph with each node changed, those of bodies before the node around them."""
    return [change(_change_body(node, change)) for node in nodes]


def without_positions(nodes: Elements) -> list[dict[str, Any]]:
    """Return the graph without the places of nodes on a canvas, which concern no run."""

    def change(node: dict[str, Any]) -> dict[str, Any]:
        return {name: member for name, member in node.items() if name != "position"}

    return change_nodes(nodes, change)


def _change_body(
    node: Mapping[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    body = body_of(node)
    if body is None:
        return dict(node)
    inner = {**body, "nodes": change_nodes(body["nodes"], change)}
    return {**node, "data": {**node["data"], BODY.name: inner}}


def body_of(node: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the body of a node, with its `nodes` and `edges`; None without a valid one."""
    data = node.get("data")
    if node.get("type") != ForEach.type or not isinstance(data, dict):
        return None
    body: Mapping[str, Any] | None = BODY.read(data, Faults())
    return body


def _bodies(graph: InnerGraph) -> Iterator[InnerGraph]:
    for node in graph.nodes:
        node_id, body = node.get("id"), body_of(node)
        if isinstance(node_id, str) and body is not None:
            yield InnerGraph(path=(*graph.path, node_id), nodes=body["nodes"], edges=body["edges"])
