"""Check of a document's graph, and its compilation into the plan of a run.

The first graph imports networkx, which takes 12 MB and a tenth of a second.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from engine.errors import InvalidGraph
from engine.graph.parse import MAX_NAMED, parse_graph
from engine.graph.parsed import Callees, ParsedEdge, ParsedGraph, ParsedNode, Problem
from engine.graph.unused_fields import find_unused
from engine.nodes.condition import Condition
from engine.nodes.request_input import RequestInput, RequestInputSettings
from engine.nodes.response_output import ResponseOutput
from engine.nodes.support.base import InEdge, NodeType, WorkKind
from engine.nodes.support.children import ChildrenNode
from engine.nodes.support.policy import Policy
from engine.nodes.support.settings import Judge
from engine.nodes.switch import Switch
from engine.nodes.transform import Transform
from engine.values.fields import Field
from engine.values.sockets import MEDIA_TYPES, SocketType

if TYPE_CHECKING:
    import networkx

EVALUATING = (Transform, Condition, Switch)
"""Node types that evaluate expressions."""
Targets = dict[str, set[SocketType]]
"""Types of the input sockets wired to each output of a node."""


class NodeName(Struct, frozen=True, array_like=True):
    """Id and type of a node."""

    id: str
    type: str


pack_names: Callable[[Sequence[NodeName]], bytes] = msgspec.msgpack.Encoder().encode
"""Function that packs the names of the nodes of a plan."""
unpack_names = msgspec.msgpack.Decoder(tuple[NodeName, ...]).decode
"""Function that unpacks names of nodes. Raises msgspec.DecodeError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Compiled node; `index` is its position in the plan."""

    index: int
    id: str
    type: NodeType
    settings: Any
    policy: Policy
    in_edges: tuple[InEdge, ...]
    """In document order."""
    many: frozenset[str]
    """Input sockets that take several edges, and get a list."""
    dependencies: tuple[int, ...]
    dependents: tuple[int, ...]
    body: "Plan | None" = None
    """Plan that the node runs for each item."""
    wired: frozenset[str] = frozenset()
    """Output sockets that have edges."""
    parts: Mapping[str, "Plan"] = field(default_factory=dict)
    """Plans that children of the node run, by name."""
    data: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> NodeName:
        """Id and type of the node."""
        return NodeName(id=self.id, type=self.type.type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Compiled graph in topological order; ties keep the document's order."""

    nodes: tuple[Node, ...]
    request_input: int | None
    response_output: int | None
    reachable: frozenset[int]
    """The node that gives the result and its ancestors; the other nodes are skipped."""
    fields: tuple[Field, ...]
    strict_inputs: bool
    values: dict[str, Any]
    """Saved values of fields."""
    is_pure: bool
    """All reachable nodes are pure: none has an effect or waits."""
    has_expressions: bool = False
    """A reachable node evaluates CEL."""
    models: Mapping[int, str] = field(default_factory=dict)
    """Internal names of the models of charged nodes, by index."""
    children: tuple[int, ...] = ()
    """Reachable nodes that run children."""
    unused_fields: frozenset[str] = frozenset()
    """Fields whose values no reachable node reads."""
    result_node: int | None = None
    """Node whose outputs by socket are the result, instead of a Response Output."""
    derived: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """Cache of values derived from the plan, keyed by the deriving module."""

    @property
    def names(self) -> tuple[NodeName, ...]:
        """Ids and types of the nodes."""
        return tuple(node.name for node in self.nodes)


def check_graph(
    nodes: Sequence[Mapping[str, Any]],
    edges: Sequence[Mapping[str, Any]],
    allow_private: bool = False,
    judge: Judge | None = None,
) -> list[Problem]:
    """Return all problems of a graph; an empty list means that it can run.

    Fixed URLs with private addresses are problems, unless `allow_private`; so are settings
    without effect yet, and those that could once be saved. Without `judge`,
    expressions are not checked.
    """
    graph = examine_graph(
        nodes, edges, allow_private=allow_private, allow_reserved=False, judge=judge
    )
    return graph.problems


def compile_plan(nodes: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]]) -> Plan:
    """Compile a graph. Raises InvalidGraph with all problems.

    Accepts private URLs, so that saved graphs still compile after a change of that setting; the
    worker refuses the call. Accepts settings that could once be saved.
    Expressions were checked at save, and are checked again where they are evaluated.
    """
    draft = examine_graph(nodes, edges)
    if draft.problems:
        raise InvalidGraph([problem.as_dict() for problem in draft.problems])
    return _build_plan(draft)


def plan_sound_part(graph: ParsedGraph, only: str | None = None) -> Plan:
    """Compile the nodes and edges without problems, even if they lead to no output.

    With `only`, the id of a node without problems, the plan runs that node and its ancestors.
    """
    if not graph.problems:
        return _build_plan(graph, only)
    sound = [node for node in graph.nodes.values() if node.is_sound]
    nodes = {node.id: replace(node, position=place) for place, node in enumerate(sound)}
    cyclic: set[int] = set().union(*_find_cyclic(graph))
    links = [
        replace(link, source=nodes[link.source.id], target=nodes[link.target.id])
        for link in graph.links
        if link.output in link.source.outputs
        and link.socket in link.target.inputs
        and link.source.id in nodes
        and link.target.id in nodes
        and not (link.source.position in cyclic and link.target.position in cyclic)
    ]
    return _build_plan(ParsedGraph(nodes=nodes, links=links), only)


def name_nodes(
    nodes: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]]
) -> tuple[NodeName, ...]:
    """Return the names in plan order of a saved graph, even if it cannot run any more.

    Raises InvalidGraph if the edges form a cycle or name missing nodes.
    """
    import networkx

    places = {node["id"]: position for position, node in enumerate(nodes)}
    try:
        links = [(places[edge["source"]], places[edge["target"]]) for edge in edges]
        order = [*networkx.lexicographical_topological_sort(_shape(len(nodes), links))]
    except (KeyError, networkx.NetworkXUnfeasible):
        raise InvalidGraph([]) from None
    return tuple(NodeName(id=nodes[at]["id"], type=nodes[at]["type"]) for at in order)


def _shape(count: int, links: Iterable[tuple[int, int]]) -> "networkx.DiGraph[int]":
    """Build a networkx graph of positions in the document."""
    import networkx

    shape: networkx.DiGraph[int] = networkx.DiGraph()
    shape.add_nodes_from(range(count))
    shape.add_edges_from(links)
    return shape


def examine_graph(
    nodes: Sequence[Mapping[str, Any]],
    edges: Sequence[Mapping[str, Any]],
    *,
    allow_private: bool = True,
    allow_reserved: bool = True,
    judge: Judge | None = None,
    callees: Callees | None = None,
) -> ParsedGraph:
    """Parse a graph and find all its problems, including cycles and those of its bodies.

    Without `judge`, expressions are not checked. Without `callees`, nodes that call a workflow have
    the sockets that their wires name.
    """
    draft = parse_graph(
        nodes,
        edges,
        allow_private=allow_private,
        allow_reserved=allow_reserved,
        judge=judge,
        callees=callees,
    )
    _finish(draft)
    return draft


def _finish(draft: ParsedGraph) -> None:
    """Add the problems of cycles and of bodies."""
    _check_cycles(draft)
    for node in draft.nodes.values():
        if node.body is not None:
            _finish(node.body)
            draft.problems += [problem.inside(node.id) for problem in node.body.problems]


def _check_cycles(draft: ParsedGraph) -> None:
    import networkx

    ids = {node.position: node.id for node in draft.nodes.values()}
    for shape in _find_cyclic(draft):
        first = min(shape)
        cycle = networkx.find_cycle(shape, source=first)
        names = [ids[source] for source, _ in cycle[:MAX_NAMED]]
        names.append("…" if len(cycle) > MAX_NAMED else names[0])
        draft.report(f"These nodes form a cycle: {' → '.join(names)}", node=ids[first])


def _find_cyclic(draft: ParsedGraph) -> "list[networkx.DiGraph[int]]":
    """Return the parts of the graph whose nodes are on cycles, by their first positions."""
    import networkx

    shape = networkx.DiGraph((link.source.position, link.target.position) for link in draft.links)
    groups = sorted(sorted(group) for group in networkx.strongly_connected_components(shape))
    return [
        shape.subgraph(group)
        for group in groups
        if len(group) > 1 or shape.has_edge(group[0], group[0])
    ]


def _build_plan(draft: ParsedGraph, only: str | None = None) -> Plan:
    import networkx

    parsed = list(draft.nodes.values())
    links = ((link.source.position, link.target.position) for link in draft.links)
    shape = _shape(len(parsed), links)
    order = list(networkx.lexicographical_topological_sort(shape))
    places = {position: index for index, position in enumerate(order)}
    fixed = _find_fixed(parsed, shape, order)
    in_edges, targets = _index_edges(draft.links, places, fixed)
    nodes = tuple(
        _build_node(
            parsed[position],
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
    goal = output if only is None else next(node.index for node in nodes if node.id == only)
    reachable = _find_reachable(shape, order, places, goal)
    unused = find_unused(nodes, request_input, reachable, form.fields)
    if goal is not None and goal == request_input:
        unused = frozenset()  # All of the fields are the result.
    return Plan(
        nodes=nodes,
        request_input=request_input,
        response_output=output if goal == output else None,
        result_node=None if goal == output else goal,
        reachable=reachable,
        fields=form.fields if only is None else _without_demands(form.fields, unused),
        strict_inputs=form.strict,
        values=dict(form.values),
        unused_fields=unused,
        is_pure=all(nodes[index].type.kind is WorkKind.PURE for index in reachable),
        has_expressions=any(_evaluates(nodes[index]) for index in reachable),
        models=_find_models(nodes, reachable),
        children=tuple(i for i in sorted(reachable) if isinstance(nodes[i].type, ChildrenNode)),
    )


def _evaluates(node: Node) -> bool:
    return isinstance(node.type, EVALUATING) or bool(node.body and node.body.has_expressions)


def _find_fixed(
    parsed: Sequence[ParsedNode], shape: "networkx.DiGraph[int]", order: Sequence[int]
) -> Set[int]:
    """Return the positions of the nodes whose outputs follow from the document alone."""
    fixed: set[int] = set()
    for position in order:
        kind = parsed[position].type
        if kind is None or isinstance(kind, RequestInput):
            continue
        computes = kind.kind is WorkKind.PURE or isinstance(kind, EVALUATING)
        if computes and all(each in fixed for each in shape.predecessors(position)):
            fixed.add(position)
    return fixed


def _index_edges(
    links: Sequence[ParsedEdge], places: Mapping[int, int], fixed: Set[int]
) -> tuple[dict[int, list[InEdge]], dict[int, Targets]]:
    in_edges: dict[int, list[InEdge]] = {}
    targets: dict[int, Targets] = {}
    for link in links:
        source = places[link.source.position]
        in_edge = InEdge(
            socket=link.socket,
            source=source,
            output=link.output,
            type=link.source.outputs[link.output].type,
            is_fixed=link.source.position in fixed,
        )
        in_edges.setdefault(places[link.target.position], []).append(in_edge)
        taken = targets.setdefault(source, {}).setdefault(link.output, set())
        taken.add(link.target.inputs[link.socket].type)
    return in_edges, targets


def _build_node(
    parsed: ParsedNode,
    *,
    index: int,
    in_edges: tuple[InEdge, ...],
    targets: Targets,
    dependents: tuple[int, ...],
) -> Node:
    if parsed.type is None:
        raise AssertionError("a graph without problems has a type for each node")
    media = {name: frozenset(types & MEDIA_TYPES) for name, types in targets.items()}
    return Node(
        index=index,
        id=parsed.id,
        type=parsed.type,
        settings=parsed.type.bind(parsed.settings, frozenset(targets), media),
        policy=parsed.policy,
        in_edges=in_edges,
        many=frozenset(name for name, socket in parsed.inputs.items() if socket.many),
        dependencies=tuple(sorted({in_edge.source for in_edge in in_edges})),
        dependents=dependents,
        body=None if parsed.body is None else _build_plan(parsed.body),
        wired=frozenset(targets),
        parts={name: _build_plan(part) for name, part in parsed.parts.items()},
        data=parsed.data,
    )


def _find_index(nodes: Sequence[Node], kind: str) -> int | None:
    return next((node.index for node in nodes if node.type.type == kind), None)


def _find_models(nodes: Sequence[Node], reachable: frozenset[int]) -> dict[int, str]:
    found = ((index, nodes[index].type.model(nodes[index].settings)) for index in sorted(reachable))
    return {index: name for index, name in found if name is not None}


def _form(nodes: Sequence[Node], request_input: int | None) -> RequestInputSettings:
    if request_input is None:
        return RequestInputSettings(fields=(), values={}, strict=False)
    settings = nodes[request_input].settings
    if not isinstance(settings, RequestInputSettings):
        raise AssertionError("a Request Input has the settings of one")
    return settings


def _without_demands(fields: Sequence[Field], unused: Set[str]) -> tuple[Field, ...]:
    """Return the fields; none of the unused ones is required."""
    return tuple(replace(f, required=f.required and f.name not in unused) for f in fields)


def _find_reachable(
    shape: "networkx.DiGraph[int]",
    order: Sequence[int],
    places: Mapping[int, int],
    goal: int | None,
) -> frozenset[int]:
    import networkx

    if goal is None:
        return frozenset()
    return frozenset({goal, *(places[at] for at in networkx.ancestors(shape, order[goal]))})
