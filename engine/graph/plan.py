"""Graphs: checking a document's nodes and edges, and compiling them into the plan of a run."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import networkx

from engine.errors import InvalidGraph
from engine.graph.parse import MAX_NAMED, ParsedEdge, ParsedGraph, ParsedNode, Problem, parse_graph
from engine.nodes.condition import Condition
from engine.nodes.request_input import PARAMS, RequestInput, RequestInputSettings
from engine.nodes.response_output import ResponseOutput
from engine.nodes.support.base import InEdge, NodeType, WorkKind
from engine.nodes.support.policy import Policy
from engine.nodes.switch import Switch
from engine.nodes.transform import Transform
from engine.values.fields import SOCKETS, Field
from engine.values.sockets import MEDIA_TYPES, SocketType

EVALUATING = (Transform, Condition, Switch)
"""The node types that evaluate expressions."""
Targets = dict[str, set[SocketType]]
"""The types of the sockets that each output of a node is wired to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeName:
    """How a node is called."""

    id: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node ready to run; `index` is its position in the plan."""

    index: int
    id: str
    type: NodeType
    settings: Any
    policy: Policy
    in_edges: tuple[InEdge, ...]
    """In the order of the edges in the document."""
    many: frozenset[str]
    """The input sockets that get a list."""
    dependencies: tuple[int, ...]
    dependents: tuple[int, ...]

    @property
    def name(self) -> NodeName:
        """How it is called."""
        return NodeName(id=self.id, type=self.type.type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A graph that can run, in topological order; ties as in the document."""

    nodes: tuple[Node, ...]
    request_input: int | None
    response_output: int | None
    reachable: frozenset[int]
    """The Response Output and its ancestors; the other nodes are skipped."""
    fields: tuple[Field, ...]
    strict_inputs: bool
    values: dict[str, Any]
    """The saved value of each field."""
    is_pure: bool
    """Whether no node that leads to the output has an effect or waits for anything."""
    has_expressions: bool = False
    """Whether a node that leads to the output evaluates CEL."""
    models: Mapping[int, str] = field(default_factory=dict)
    """The nodes that are charged, each with its model's internal name."""
    unused_fields: frozenset[str] = frozenset()
    """Fields whose values no node that leads to the output looks at."""
    derived: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """What others have found out of it and would find again, by what it is called there."""

    @property
    def names(self) -> tuple[NodeName, ...]:
        """How the nodes are called."""
        return tuple(node.name for node in self.nodes)


def check_graph(
    nodes: Sequence[Mapping[str, Any]],
    edges: Sequence[Mapping[str, Any]],
    allow_private: bool = False,
) -> list[Problem]:
    """All problems of a graph at once; none: it can run.

    A fixed URL of an address that is not public is one, unless `allow_private`; so is a setting
    that does nothing yet.
    """
    return _examine(nodes, edges, allow_private=allow_private, allow_reserved=False).problems


def compile_plan(nodes: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]]) -> Plan:
    """The plan of a graph. Raises InvalidGraph with all its problems.

    It takes private URLs: what was saved stays a plan when that setting changes, and the worker
    refuses the call. It takes settings that do nothing yet, which could be saved once.
    """
    draft = _examine(nodes, edges)
    if draft.problems:
        raise InvalidGraph([problem.as_dict() for problem in draft.problems])
    return _build_plan(draft)


def name_nodes(
    nodes: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]]
) -> tuple[NodeName, ...]:
    """The names in the order of the plan, of a graph that could run once and need not now.

    Raises InvalidGraph when its edges have no order.
    """
    places = {node["id"]: position for position, node in enumerate(nodes)}
    try:
        links = [(places[edge["source"]], places[edge["target"]]) for edge in edges]
        order = [*networkx.lexicographical_topological_sort(_shape(len(nodes), links))]
    except (KeyError, networkx.NetworkXUnfeasible):
        raise InvalidGraph([]) from None
    return tuple(NodeName(id=nodes[at]["id"], type=nodes[at]["type"]) for at in order)


def _shape(count: int, links: Iterable[tuple[int, int]]) -> "networkx.DiGraph[int]":
    """A graph of positions in the document."""
    shape: networkx.DiGraph[int] = networkx.DiGraph()
    shape.add_nodes_from(range(count))
    shape.add_edges_from(links)
    return shape


def _examine(
    nodes: Sequence[Mapping[str, Any]],
    edges: Sequence[Mapping[str, Any]],
    *,
    allow_private: bool = True,
    allow_reserved: bool = True,
) -> ParsedGraph:
    draft = parse_graph(nodes, edges, allow_private=allow_private, allow_reserved=allow_reserved)
    _check_cycles(draft)
    return draft


def _check_cycles(draft: ParsedGraph) -> None:
    shape = networkx.DiGraph((link.source.position, link.target.position) for link in draft.links)
    ids = {node.position: node.id for node in draft.nodes.values()}
    groups = (sorted(group) for group in networkx.strongly_connected_components(shape))
    for group in sorted(groups):
        if len(group) > 1 or shape.has_edge(group[0], group[0]):
            cycle = networkx.find_cycle(shape.subgraph(group), source=group[0])
            names = [ids[source] for source, _ in cycle[:MAX_NAMED]]
            names.append("…" if len(cycle) > MAX_NAMED else names[0])
            draft.report(f"These nodes form a cycle: {' → '.join(names)}", node=ids[group[0]])


def _build_plan(draft: ParsedGraph) -> Plan:
    seen = list(draft.nodes.values())
    links = ((link.source.position, link.target.position) for link in draft.links)
    shape = _shape(len(seen), links)
    order = list(networkx.lexicographical_topological_sort(shape))
    places = {position: index for index, position in enumerate(order)}
    in_edges, targets = _index_wires(draft.links, places)
    nodes = tuple(
        _build_node(
            seen[position],
            index=index,
            in_edges=tuple(in_edges.get(index, ())),
            targets=targets.get(index, {}),
            dependents=tuple(sorted(places[each] for each in shape.successors(position))),
        )
        for index, position in enumerate(order)
    )
    output = _find_index(nodes, ResponseOutput.type)
    request_input = _find_index(nodes, RequestInput.type)
    form = _form(nodes, request_input)
    reachable = _find_reachable(shape, order, places, output)
    return Plan(
        nodes=nodes,
        request_input=request_input,
        response_output=output,
        reachable=reachable,
        fields=form.fields,
        strict_inputs=form.strict,
        values=dict(form.values),
        unused_fields=_find_unused(nodes, request_input, reachable, form.fields),
        is_pure=all(nodes[index].type.kind is WorkKind.PURE for index in reachable),
        has_expressions=any(isinstance(nodes[index].type, EVALUATING) for index in reachable),
        models=_find_models(nodes, reachable),
    )


def _index_wires(
    links: Sequence[ParsedEdge], places: Mapping[int, int]
) -> tuple[dict[int, list[InEdge]], dict[int, Targets]]:
    in_edges: dict[int, list[InEdge]] = {}
    targets: dict[int, Targets] = {}
    for link in links:
        source = places[link.source.position]
        kind = link.source.outputs[link.output].type
        in_edge = InEdge(socket=link.socket, source=source, output=link.output, type=kind)
        in_edges.setdefault(places[link.target.position], []).append(in_edge)
        taken = targets.setdefault(source, {}).setdefault(link.output, set())
        taken.add(link.target.inputs[link.socket].type)
    return in_edges, targets


def _build_node(
    seen: ParsedNode,
    *,
    index: int,
    in_edges: tuple[InEdge, ...],
    targets: Targets,
    dependents: tuple[int, ...],
) -> Node:
    if seen.type is None:
        raise AssertionError("a graph without problems has a type for each node")
    media = {name: frozenset(types & MEDIA_TYPES) for name, types in targets.items()}
    return Node(
        index=index,
        id=seen.id,
        type=seen.type,
        settings=seen.type.bind(seen.settings, frozenset(targets), media),
        policy=seen.policy,
        in_edges=in_edges,
        many=frozenset(name for name, socket in seen.inputs.items() if socket.many),
        dependencies=tuple(sorted({in_edge.source for in_edge in in_edges})),
        dependents=dependents,
    )


def _find_index(nodes: Sequence[Node], kind: str) -> int | None:
    return next((node.index for node in nodes if node.type.type == kind), None)


def _find_models(nodes: Sequence[Node], reachable: frozenset[int]) -> dict[int, str]:
    found = {index: nodes[index].type.model(nodes[index].settings) for index in sorted(reachable)}
    return {index: name for index, name in found.items() if name is not None}


def _form(nodes: Sequence[Node], request_input: int | None) -> RequestInputSettings:
    if request_input is None:
        return RequestInputSettings(fields=(), values={}, strict=False)
    settings = nodes[request_input].settings
    if not isinstance(settings, RequestInputSettings):
        raise AssertionError("a Request Input has the settings of one")
    return settings


def _find_unused(
    nodes: Sequence[Node],
    request_input: int | None,
    reachable: frozenset[int],
    fields: Sequence[Field],
) -> frozenset[str]:
    used: set[str] = set()
    for node in (nodes[index] for index in reachable):
        for in_edge in node.in_edges:
            if in_edge.source == request_input:
                used |= _find_used(node, in_edge, fields)
    return frozenset(field.name for field in fields) - used


def _find_used(node: Node, in_edge: InEdge, fields: Sequence[Field]) -> Set[str]:
    """The fields that a node looks at through a wire from the Request Input."""
    if in_edge.output != PARAMS:
        return {in_edge.output}
    bundled = {field.name for field in fields if field.type not in SOCKETS}
    members = node.type.reads(node.settings, in_edge.socket)
    return bundled if members is None else bundled.intersection(members)


def _find_reachable(
    shape: "networkx.DiGraph[int]",
    order: Sequence[int],
    places: Mapping[int, int],
    output: int | None,
) -> frozenset[int]:
    if output is None:
        return frozenset()
    ancestors = networkx.ancestors(shape, order[output])
    return frozenset({output, *(places[position] for position in ancestors)})
