"""Parser of a document's graph into typed nodes and edges, which collects all problems."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

import msgspec

from engine.errors.nodes import SettingsError
from engine.net.url_policy import UrlRefused, check_url
from engine.nodes import NODE_TYPES, node_type
from engine.nodes.request_input import RequestInput
from engine.nodes.response_output import ResponseOutput
from engine.nodes.support.base import NodeType
from engine.nodes.support.policy import Policy, parse_policy, reserved_faults
from engine.nodes.support.settings import Judge
from engine.values.plain import fault
from engine.values.sockets import NO_SOCKETS, Socket, Sockets, is_compatible

MAX_NODES = 1_000
MAX_EDGES = 5_000
MAX_ID = 128
MAX_DATA_BYTES = 262_144
MAX_EXPRESSIONS = 102_400
"""Characters of all CEL expressions of a graph, which bounds the time to compile them."""
MAX_NAMED = 10
"""Names listed in one message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Reason why a graph cannot run, with the node or edge concerned."""

    reason: str
    node_id: str | None = None
    edge_id: str | None = None
    field: str | None = None
    """Path of the setting within the node's `data`."""
    socket: str | None = None
    """Name of the socket of the node, or at one end of the edge."""

    def as_dict(self) -> dict[str, str]:
        """Return the problem in the format of errors that refuse a save or a run."""
        return _without_none(nodeId=self.node_id, edgeId=self.edge_id, reason=self.reason)

    def as_detail(self) -> dict[str, str]:
        """Return the problem in the format of a check, with its setting and socket."""
        return _without_none(
            nodeId=self.node_id,
            edgeId=self.edge_id,
            field=self.field,
            socket=self.socket,
            reason=self.reason,
        )


def _without_none(**members: str | None) -> dict[str, str]:
    return {key: value for key, value in members.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedNode:
    """Node of the document; `type` is None if its type or settings are invalid."""

    position: int
    id: str
    type: NodeType | None = None
    settings: Any = None
    policy: Policy = field(default_factory=Policy)
    inputs: Mapping[str, Socket] = field(default_factory=dict)
    outputs: Mapping[str, Socket] = field(default_factory=dict)
    shown: Sockets = NO_SOCKETS
    """Sockets for an editor, as far as invalid settings determine them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedEdge:
    """Edge between two existing nodes."""

    id: str
    source: ParsedNode
    output: str
    target: ParsedNode
    socket: str


@dataclass(slots=True)
class ParsedGraph:
    """Nodes, edges and problems found so far."""

    nodes: dict[str, ParsedNode] = field(default_factory=dict)
    links: list[ParsedEdge] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    allow_private: bool = True
    """Nodes may name private addresses."""
    allow_reserved: bool = True
    """Nodes may have settings that cannot be saved any more, or not yet."""
    judge: Judge | None = None
    """Tells the faults of expressions; None: none is looked for, as in what was checked once."""
    expressions: int = 0
    """Characters of CEL expressions so far."""

    def report(
        self,
        reason: str,
        *,
        node: str | None = None,
        edge: str | None = None,
        field: str | None = None,
        socket: str | None = None,
    ) -> None:
        problem = Problem(reason=reason, node_id=node, edge_id=edge, field=field, socket=socket)
        self.problems.append(problem)

    def report_settings(self, error: SettingsError, node: str) -> None:
        """Report every fault of a node's settings."""
        for each in error.faults:
            self.report(each.reason, node=node, field=each.field or None)


def parse_graph(
    nodes: Sequence[Mapping[str, Any]],
    edges: Sequence[Mapping[str, Any]],
    *,
    allow_private: bool = True,
    allow_reserved: bool = True,
    judge: Judge | None = None,
) -> ParsedGraph:
    """Parse a document's graph. The result lists all problems."""
    draft = ParsedGraph(allow_private=allow_private, allow_reserved=allow_reserved, judge=judge)
    for name, items, limit in (("nodes", nodes, MAX_NODES), ("edges", edges, MAX_EDGES)):
        if len(items) > limit:
            draft.report(f"The graph has {len(items)} {name}; at most {limit} are allowed")
    if draft.problems:
        return draft
    for position, node in enumerate(nodes):
        _read_node(draft, position, node)
    _check_single(draft, RequestInput.type, "Request Input")
    _check_single(draft, ResponseOutput.type, "Response Output")
    _read_edges(draft, edges)
    _check_wires(draft)
    return draft


def _read_node(draft: ParsedGraph, position: int, raw: Mapping[str, Any]) -> None:
    node_id = raw.get("id")
    if not _is_id(node_id):
        draft.report(f"nodes[{position}].id must be a text of 1 to {MAX_ID} characters")
        return
    is_repeated = node_id in draft.nodes
    if is_repeated:
        draft.report(f"Another node has the id '{node_id}' too; ids must differ", node=node_id)
    parsed = _parse_node(draft, position, node_id, raw)
    if not is_repeated:  # edges lead to the first one
        draft.nodes[node_id] = parsed


def _parse_node(
    draft: ParsedGraph, position: int, node_id: str, raw: Mapping[str, Any]
) -> ParsedNode:
    kind = _find_type(draft, node_id, raw.get("type"))
    data = _read_data(draft, node_id, raw.get("data"))
    unknown = ParsedNode(position=position, id=node_id)
    if data is None:
        return unknown
    policy = _read_policy(draft, node_id, data)
    if kind is None or not _is_within_budget(draft, node_id, data):
        return unknown
    try:
        settings = kind.parse(data, draft.judge)
    except SettingsError as error:
        draft.report_settings(error, node_id)
        # Without a type, errors that follow from its settings are not reported; missing wires are.
        return replace(unknown, inputs=kind.needs(data), shown=kind.sketch(data))
    if not draft.allow_reserved:
        draft.report_settings(SettingsError(*kind.outdated(settings)), node_id)
    if not draft.allow_private:
        _check_target(draft, node_id, kind.fixed_url(settings))
    sockets = Sockets(kind.inputs(settings), kind.outputs(settings))
    return ParsedNode(
        position=position,
        id=node_id,
        type=kind,
        settings=settings,
        policy=policy,
        inputs=sockets.inputs,
        outputs=sockets.outputs,
        shown=sockets,
    )


def _check_target(draft: ParsedGraph, node_id: str, url: str | None) -> None:
    try:
        if url is not None:
            check_url(url)
    except UrlRefused as error:
        draft.report(f"url: {error}", node=node_id, field="url")


def _is_id(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= MAX_ID


def _find_type(draft: ParsedGraph, node_id: str, name: object) -> NodeType | None:
    found = node_type(name) if isinstance(name, str) else None
    if found is None:
        known = ", ".join(sorted(each.type for each in NODE_TYPES))
        reason = f"There is no node type {_quote(name)} here; there are {known}"
        draft.report(reason, node=node_id)
    return found


def _read_data(draft: ParsedGraph, node_id: str, data: object) -> dict[str, Any] | None:
    if data is None:
        return {}
    if not isinstance(data, dict):
        draft.report("data must be an object", node=node_id)
        return None
    reason = fault(data)
    if reason:
        draft.report(f"data {reason}", node=node_id)
        return None
    size = len(msgspec.json.encode(data))
    if size > MAX_DATA_BYTES:
        reason = f"data has {size} bytes as JSON; at most {MAX_DATA_BYTES} are allowed"
        draft.report(reason, node=node_id)
        return None
    return data


def _is_within_budget(draft: ParsedGraph, node_id: str, data: Mapping[str, Any]) -> bool:
    draft.expressions += _expression_length(data)
    if draft.expressions <= MAX_EXPRESSIONS:
        return True
    reason = f"All expressions of a graph together have at most {MAX_EXPRESSIONS} characters"
    draft.report(reason, node=node_id, field="expression" if "expression" in data else "cases")
    return False


def _expression_length(data: Mapping[str, Any]) -> int:
    cases = data.get("cases")
    conditions = (
        [case.get("when") for case in cases if isinstance(case, dict)]
        if isinstance(cases, list)
        else []
    )
    return sum(len(str(text)) for text in (data.get("expression", ""), *conditions))


def _read_policy(draft: ParsedGraph, node_id: str, data: Mapping[str, Any]) -> Policy:
    if not draft.allow_reserved:
        draft.report_settings(SettingsError(*reserved_faults(data)), node_id)
    try:
        return parse_policy(data)
    except SettingsError as error:
        draft.report_settings(error, node_id)
        return Policy()


def _check_single(draft: ParsedGraph, kind: str, title: str) -> None:
    found = [node for node in draft.nodes.values() if node.type and node.type.type == kind]
    for node in found[1:]:
        draft.report(f"A graph has one {title} at most; '{found[0].id}' is one", node=node.id)


def _read_edges(draft: ParsedGraph, edges: Sequence[Mapping[str, Any]]) -> None:
    taken: set[str] = set()
    for position, raw in enumerate(edges):
        edge_id = raw.get("id")
        if not _is_id(edge_id):
            draft.report(f"edges[{position}].id must be a text of 1 to {MAX_ID} characters")
            continue
        if edge_id in taken:
            draft.report(f"Another edge has the id '{edge_id}' too; ids must differ", edge=edge_id)
        taken.add(edge_id)
        _read_edge(draft, edge_id, raw)


def _read_edge(draft: ParsedGraph, edge_id: str, raw: Mapping[str, Any]) -> None:
    ends: list[ParsedNode] = []
    for key in ("source", "target"):
        node = draft.nodes.get(raw[key]) if isinstance(raw.get(key), str) else None
        if node is None:
            draft.report(f"{key} is {_quote(raw.get(key))}, and no node has that id", edge=edge_id)
        else:
            ends.append(node)
    if len(ends) < 2:
        return
    source, target = ends
    output, socket = raw.get("sourceHandle"), raw.get("targetHandle")
    start = _find_socket(draft, edge_id, source, output, "output", source.outputs)
    end = _find_socket(draft, edge_id, target, socket, "input", target.inputs)
    if start and end and not is_compatible(start.type, end.type):
        draft.report(
            f"'{output}' of '{source.id}' gives {start.type}, but '{socket}' of '{target.id}' "
            f"takes {end.type}",
            edge=edge_id,
            socket=str(socket),
        )
    for node, name, found in ((source, output, start), (target, socket, end)):
        if found and found.refusal:
            reason = f"'{name}' of '{node.id}': {found.refusal}"
            draft.report(reason, edge=edge_id, socket=str(name))
    draft.links.append(
        ParsedEdge(id=edge_id, source=source, output=str(output), target=target, socket=str(socket))
    )


def _find_socket(
    draft: ParsedGraph,
    edge_id: str,
    node: ParsedNode,
    name: object,
    side: str,
    sockets: Mapping[str, Socket],
) -> Socket | None:
    if node.type is None:
        return None
    found = sockets.get(name) if isinstance(name, str) else None
    if found is None:
        known = f"has {_list(sorted(sockets))}" if sockets else "has none"
        draft.report(
            f"'{node.id}' ({node.type.type}) has no {side} socket {_quote(name)}; it {known}",
            edge=edge_id,
            socket=name if isinstance(name, str) else None,
        )
    return found


def _check_wires(draft: ParsedGraph) -> None:
    taken: dict[tuple[str, str], str] = {}
    for link in draft.links:
        first = taken.setdefault((link.target.id, link.socket), link.id)
        socket = link.target.inputs.get(link.socket)
        if first != link.id and socket and not socket.many:
            draft.report(
                f"'{link.socket}' of '{link.target.id}' takes one edge and has '{first}' already",
                edge=link.id,
                socket=link.socket,
            )
    for node in draft.nodes.values():
        for name, socket in sorted(node.inputs.items()):
            if socket.required and (node.id, name) not in taken:
                reason = f"Nothing is wired to the input socket '{name}'"
                draft.report(reason, node=node.id, socket=name)


def _quote(name: object) -> str:
    return f"'{name[:MAX_ID]}'" if isinstance(name, str) else "without a name"


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:MAX_NAMED])
    return f"{shown} and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else shown
