"""Approvals among the nodes of a document, in bodies of nodes too."""

from collections.abc import Iterator, Mapping
from typing import Any

from engine.graph.bodies import Elements, walk_nodes
from engine.nodes.agents.agent import Agent
from engine.nodes.agents.tool_settings import APPROVE
from engine.nodes.approval import Approval


def find_approvals(nodes: Elements) -> Iterator[tuple[str, ...]]:
    """Yield the ids of the outer nodes of each approval and its own id, even of invalid ones.

    An agent that asks for approvals counts as one.
    """
    for path, node in walk_nodes(nodes):
        if _asks(node) and isinstance(node.get("id"), str):
            yield path


def _asks(node: Mapping[str, Any]) -> bool:
    """Return whether a node is an approval, or an agent that asks before some of its tools."""
    data = node.get("data")
    if node.get("type") == Agent.type:
        return isinstance(data, dict) and bool(data.get(APPROVE.name))
    return node.get("type") == Approval.type


def has_approval(nodes: Elements) -> bool:
    """Return whether a graph, or a body in it, has an approval."""
    return any(True for _ in find_approvals(nodes))
