"""Features of graphs that need a newer schema of the store than it has.

Until `headrace migrate` has raised the schema, processes of the release before may run, and fail
executions with features that they do not know.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from engine.graph.bodies import Elements, all_graphs
from engine.graph.features import describe, needs_of
from engine.graph.parsed import Problem
from engine.nodes import node_type
from engine.nodes.catalogue import WAITS_FOR_SCHEMA
from engine.nodes.support.policy import CACHE, POLICY
from engine.services.workflows.later_models import later_parts
from engine.store.schema import FILES_SCHEMA, StoreSchema

FEATURES_SCHEMA = 2
"""Schema from which on no worker of release 0.1.0 runs: later ones leave what they do not know."""


def check_schema(schema: StoreSchema, nodes: Elements, edges: Elements) -> list[Problem]:
    """Return a problem for each node type, setting, choice and socket that must wait."""
    return [
        problem.within(graph.path)
        for graph in all_graphs(nodes, edges)
        for problem in _check_one(schema, graph.nodes, graph.edges)
    ]


def _check_one(schema: StoreSchema, nodes: Elements, edges: Elements) -> list[Problem]:
    nodes = [node for node in nodes if isinstance(node.get("id"), str)]
    problems = [problem for node in nodes for problem in _check_node(schema, node)]
    if not schema.allows(FILES_SCHEMA):
        problems += _check_models(nodes, edges)
    if not schema.allows(FEATURES_SCHEMA):
        problems += _check_features(nodes, edges, {problem.node_id for problem in problems})
    return problems


def _check_models(nodes: Elements, edges: Elements) -> Iterator[Problem]:
    for node in nodes:
        for part, setting in later_parts(node, edges):
            yield Problem(reason=_reason(part), node_id=node["id"], field=setting)


def _check_features(
    nodes: Elements, edges: Elements, known: Collection[str | None]
) -> Iterator[Problem]:
    """Yield a problem for each feature that release 0.1.0 does not know, but for `known` nodes.

    One for a node stands for its sockets too.
    """
    found = {node["id"]: needs_of([node], []) for node in nodes if node["id"] not in known}
    for node_id, features in found.items():
        for feature in features:
            yield Problem(reason=_reason(describe(feature)), node_id=node_id)
    plain = {node["id"]: node for node in nodes if found.get(node["id"]) == []}
    for edge in edges:
        ends = [plain[each] for each in (edge.get("source"), edge.get("target")) if each in plain]
        for feature in needs_of(ends, [edge]):
            yield Problem(reason=_reason(describe(feature)), edge_id=edge.get("id"))


def _check_node(schema: StoreSchema, node: Mapping[str, Any]) -> Iterator[Problem]:
    kind, data = node_type(str(node.get("type"))), node.get("data") or {}
    if kind is None or not isinstance(data, dict):
        return  # the check of the graph reports it
    if not schema.allows(kind.since_schema):
        yield Problem(reason=_reason(f"the node type '{kind.type}'"), node_id=node["id"])
    for setting in (*kind.members, *POLICY, CACHE):
        if data.get(setting.name) is not None and not schema.allows(setting.since_schema):
            reason = _reason(f"the setting '{setting.name}'")
            yield Problem(reason=reason, node_id=node["id"], field=setting.name)


def _reason(words: str) -> str:
    return f"{words[0].upper()}{words[1:]} must wait: {WAITS_FOR_SCHEMA}"
