"""Calls of other workflows by the nodes of a document, in bodies of nodes too."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from engine.ids.slugs import SLUG

CALLING_TYPES = frozenset({"subWorkflow", "forEach"})
"""Types of nodes that run another workflow."""
BODY_TYPES = frozenset({"forEach"})
"""Types of nodes that may have a graph of their own."""

Nodes = Sequence[Mapping[str, Any]]


class WorkflowCall(NamedTuple):
    """Workflow that a node runs."""

    slug: str
    version: int | None
    """None: the live version when the node begins."""

    def __str__(self) -> str:
        """Return the call as the index of callers has it."""
        return self.slug if self.version is None else f"{self.slug}@{self.version}"


def nodes_with_bodies(nodes: Nodes) -> Iterator[Mapping[str, Any]]:
    """Yield all nodes and, after each, those of its body; the graph may have problems."""
    for node in nodes:
        yield node
        yield from nodes_with_bodies(_body_nodes(node))


def find_calls(nodes: Nodes) -> frozenset[WorkflowCall]:
    """Return the calls of a graph, even of nodes with other invalid settings."""
    calls = (_call_of(node) for node in nodes_with_bodies(nodes))
    return frozenset(call for call in calls if call is not None)


def _call_of(node: Mapping[str, Any]) -> WorkflowCall | None:
    if node.get("type") not in CALLING_TYPES:
        return None
    data = _data_of(node)
    slug, version = data.get("workflow"), data.get("version")
    if not isinstance(slug, str) or not SLUG.fullmatch(slug):
        return None
    is_number = isinstance(version, int) and not isinstance(version, bool) and version > 0
    return WorkflowCall(slug, version if is_number else None)


def _body_nodes(node: Mapping[str, Any]) -> Nodes:
    body = _data_of(node).get("body") if node.get("type") in BODY_TYPES else None
    nodes = body.get("nodes") if isinstance(body, dict) else None
    if not isinstance(nodes, list):
        return ()
    return [each for each in nodes if isinstance(each, dict)]


def _data_of(node: Mapping[str, Any]) -> Mapping[str, Any]:
    data = node.get("data")
    return data if isinstance(data, dict) else {}
