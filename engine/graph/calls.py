"""Calls of other workflows by the nodes of a document, in bodies of nodes too."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.graph.bodies import Elements, change_nodes, walk_nodes
from engine.nodes import node_type
from engine.nodes.agents.rounds_node import RoundsNode
from engine.nodes.agents.tool_settings import called_workflows, with_other_workflows
from engine.nodes.support.base import NodeType
from engine.nodes.support.children import Callee, ChildrenNode
from engine.nodes.support.children_settings import VERSION, called_workflow
from engine.nodes.support.settings import Faults

WORKFLOW = called_workflow()


def find_calls(nodes: Elements) -> frozenset[Callee]:
    """Return the calls of a graph, even of nodes with other invalid settings."""
    return frozenset(call for _, node in walk_nodes(nodes) for call in calls_of(node))


def called_slugs(nodes: Elements) -> list[str]:
    """Return the slugs of the workflows that a graph calls, in order."""
    return sorted({call.workflow for call in find_calls(nodes)})


def replace_calls(nodes: Elements, slugs: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the graph with calls of the live versions of other workflows, by the former slug.

    Calls of slugs that are not there stay.
    """

    def change(node: dict[str, Any]) -> dict[str, Any]:
        if isinstance(_type_of(node), RoundsNode):
            return {**node, "data": with_other_workflows(node["data"], slugs)}
        call = next(iter(calls_of(node)), None)
        if call is None or call.workflow not in slugs:
            return node
        others = {name: value for name, value in node["data"].items() if name != VERSION.name}
        return {**node, "data": {**others, WORKFLOW.name: slugs[call.workflow]}}

    return change_nodes(nodes, change)


def callees_first(bodies: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return documents with slugs so that none calls a later one, unless they form a cycle."""
    ordered: dict[int, Mapping[str, Any]] = {}
    places = {str(body.get("slug")): place for place, body in enumerate(bodies)}
    seen: set[int] = set()

    def visit(place: int) -> None:
        if place in seen:
            return
        seen.add(place)
        for slug in called_slugs(_nodes_of(bodies[place])):
            if slug in places:
                visit(places[slug])
        ordered[place] = bodies[place]

    for place in range(len(bodies)):
        visit(place)
    return list(ordered.values())


def with_replaced_calls(body: Mapping[str, Any], slugs: Mapping[str, str]) -> Mapping[str, Any]:
    """Return a document, which may be malformed, with other calls, as `replace_calls` does."""
    nodes = _nodes_of(body)
    return {**body, "nodes": replace_calls(nodes, slugs)} if nodes and slugs else body


def _nodes_of(body: Mapping[str, Any]) -> Elements:
    """Return the nodes of a body; none where it is malformed, which saving it reports."""
    nodes = body.get("nodes")
    is_graph = isinstance(nodes, list) and all(isinstance(each, dict) for each in nodes)
    return nodes if is_graph and nodes is not None else ()


def calls_of(node: Mapping[str, Any]) -> Sequence[Callee]:
    """Return the workflows that a node calls, even with other invalid settings."""
    data, kind = node.get("data"), _type_of(node)
    if not isinstance(kind, ChildrenNode) or not isinstance(data, dict):
        return ()
    if isinstance(kind, RoundsNode):
        return called_workflows(data)
    slug = WORKFLOW.read(data, Faults())
    if not isinstance(slug, str):
        return ()
    return (Callee(workflow=slug, version=VERSION.read(data, Faults())),)


def _type_of(node: Mapping[str, Any]) -> NodeType | None:
    return node_type(str(node.get("type")))
