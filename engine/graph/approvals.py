"""Approvals among the nodes of a document, in bodies of nodes too."""

from collections.abc import Iterator

from engine.graph.bodies import Elements, walk_nodes
from engine.nodes.approval import Approval


def find_approvals(nodes: Elements) -> Iterator[tuple[str, ...]]:
    """Yield the ids of the outer nodes of each approval and its own id, even of invalid ones."""
    for path, node in walk_nodes(nodes):
        if node.get("type") == Approval.type and isinstance(node.get("id"), str):
            yield path


def has_approval(nodes: Elements) -> bool:
    """Return whether a graph, or a body in it, has an approval."""
    return any(True for _ in find_approvals(nodes))
