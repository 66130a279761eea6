"""Graphs inside of a document's nodes: the bodies of `forEach`, in all depths."""

from collections.abc import Iterator, Mapping, Sequence
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


def _bodies(graph: InnerGraph) -> Iterator[InnerGraph]:
    for node in graph.nodes:
        node_id, data = node.get("id"), node.get("data")
        if node.get("type") == ForEach.type and isinstance(node_id, str) and isinstance(data, dict):
            body = BODY.read(data, Faults())
            if body is not None:
                yield InnerGraph(
                    path=(*graph.path, node_id), nodes=body["nodes"], edges=body["edges"]
                )
