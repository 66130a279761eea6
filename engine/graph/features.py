"""Features of a graph: the node types, settings, choices and sockets that its plan uses.

A gateway records with a version those features that 0.1.0 does not know. A worker of an earlier
release sees by them what it would misunderstand, and leaves the executions to others.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from engine.graph.bodies import all_graphs
from engine.nodes import node_type
from engine.nodes.support.failures import with_error_out
from engine.nodes.support.policy import CACHE, POLICY
from engine.nodes.support.settings import Schema, schema_of

COMMON = "*"
"""Stands for the node type in the names of settings that all node types have."""
INPUT, OUTPUT, MEMBER, CHOICE = "<", ">", ".", "="
BASE_FILE = "features_0_1_0.txt"
"""Features of 0.1.0, one a line. The file never changes."""


@dataclass(frozen=True, slots=True)
class UnknownPart:
    """Part of an execution that this process does not know."""

    name: str
    """Words for the part, as the object of a sentence."""
    node_id: str | None = None
    """Node that has the part; None: no single one."""


class UnknownHere(Exception):
    """An execution has a part that this process does not know, and a later release may know."""

    def __init__(self, part: UnknownPart) -> None:
        super().__init__(part.name)
        self.part = part


def needs_of(
    nodes: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]]
) -> Sequence[str]:
    """Return the features of a valid graph that 0.1.0 does not know, sorted."""
    return sorted(features_of(nodes, edges) - base_features())


def features_of(nodes: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return all features of a graph and its bodies, as far as this process knows them.

    Sockets that follow from settings are none: the settings stand for them.
    """
    graphs = all_graphs(nodes, edges)
    return set().union(*(_features_of_one(graph.nodes, graph.edges) for graph in graphs))


def _features_of_one(
    nodes: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]]
) -> set[str]:
    kinds = {node.get("id"): node_type(str(node.get("type"))) for node in nodes}
    found: set[str] = set()
    for node in nodes:
        kind, data = kinds[node.get("id")], node.get("data") or {}
        if kind is not None:
            found.add(kind.type)
            found.update(_used(_schema(kind.type), data, kind.type))
            found.update(_used(_schema(COMMON), data, COMMON))
    for edge in edges:
        for end, handle, side in (
            ("source", "sourceHandle", OUTPUT),
            ("target", "targetHandle", INPUT),
        ):
            kind = kinds.get(edge.get(end))
            if kind is not None:
                found.update({f"{kind.type}{side}{edge.get(handle)}"} & known_features(kind.type))
    return found


def find_unknown(nodes: Iterable[tuple[str, str]], needs: Iterable[str] = ()) -> UnknownPart | None:
    """Return the first part that this process does not know, by ids and types of nodes.

    `needs` are the features that the gateway has recorded.
    """
    named = list(nodes)
    for node_id, kind in named:
        if node_type(kind) is None:
            return UnknownPart(f"the node type '{kind}'", node_id)
    for feature in needs:
        kind = _type_of(feature)
        if feature not in known_features(kind):
            having = (node_id for node_id, each in named if kind in (COMMON, each))
            return UnknownPart(describe(feature), next(having, None))
    return None


@cache
def base_features() -> frozenset[str]:
    """Return the features of 0.1.0."""
    text = resources.files(__package__).joinpath(BASE_FILE).read_text(encoding="utf-8")
    return frozenset(text.splitlines())


@cache
def known_features(kind: str) -> frozenset[str]:
    """Return the features of a node type, or those of all with `COMMON`; empty: it is unknown."""
    named = frozenset(_named(_schema(kind), kind))
    found = node_type(kind)
    if found is None:
        return named
    sockets = with_error_out(found, found.sketch({}))
    inputs, outputs = (kind + INPUT + name for name in sockets.inputs), sockets.outputs
    return named.union([kind], inputs, (kind + OUTPUT + name for name in outputs))


@cache
def _schema(kind: str) -> Schema:
    found = node_type(kind)
    members = (*POLICY, CACHE) if kind == COMMON else () if found is None else found.members
    return schema_of(members)


def _named(schema: Schema, path: str) -> Iterator[str]:
    """Yield the members and choices that a schema names, by their paths."""
    for choice in schema.get("enum", ()):
        if choice is not None:
            yield f"{path}{CHOICE}{choice}"
    for name, value in schema.get("properties", {}).items():
        yield f"{path}{MEMBER}{name}"
        yield from _named(value, f"{path}{MEMBER}{name}")
    if "items" in schema:
        yield from _named(schema["items"], path)


def _used(schema: Schema, value: Any, path: str) -> Iterator[str]:
    """Yield the members and choices of a value that its schema names, by their paths."""
    if value is not None and value in schema.get("enum", ()):
        yield f"{path}{CHOICE}{value}"
    if isinstance(value, dict):
        for name in schema.get("properties", {}).keys() & value.keys():
            if value[name] is not None:
                yield f"{path}{MEMBER}{name}"
                yield from _used(schema["properties"][name], value[name], f"{path}{MEMBER}{name}")
    elif isinstance(value, list) and "items" in schema:
        for each in value:
            yield from _used(schema["items"], each, path)


def _type_of(feature: str) -> str:
    for mark in (CHOICE, MEMBER, INPUT, OUTPUT):
        feature = feature.partition(mark)[0]
    return feature


def describe(feature: str) -> str:
    """Return words for a feature, as the object of a sentence."""
    kind = _type_of(feature)
    if feature == kind:
        return f"the node type '{kind}'"
    of = "" if kind == COMMON else f" of '{kind}'"
    path, _, choice = feature.removeprefix(kind + MEMBER).partition(CHOICE)
    if feature[len(kind)] in (INPUT, OUTPUT):
        return f"the socket '{feature[len(kind) + 1 :]}'{of}"
    if choice:
        return f"the value '{choice}' of the setting '{path}'{of}"
    return f"the setting '{path}'{of}"
