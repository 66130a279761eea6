"""Parser of a document's graph into typed nodes and edges, which collects all problems."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeGuard

import msgspec

from engine.errors.nodes import SettingFault, SettingsError
from engine.executions.run_depth import MAX_DEPTH
from engine.graph.parsed import Callees, ParsedEdge, ParsedGraph, ParsedNode
from engine.net.url_policy import UrlRefused, check_url
from engine.nodes import NODE_TYPES, node_type
from engine.nodes.agents.rounds_node import RoundsNode
from engine.nodes.for_each import ForEach
from engine.nodes.request_input import RequestInput, RequestInputSettings
from engine.nodes.response_output import ResponseOutput, ResponseOutputSettings
from engine.nodes.support.base import NodeType
from engine.nodes.support.children import CalleeInterface, ChildrenNode, wired_interface
from engine.nodes.support.children_settings import BODY
from engine.nodes.support.failures import ERROR_OUT, fallback_faults, with_error_out
from engine.nodes.support.policy import Policy, parse_policy, reserved_faults
from engine.nodes.support.settings import Faults, Judge
from engine.values.plain import fault
from engine.values.sockets import Socket, Sockets, is_compatible

MAX_NODES = 1_000
MAX_EDGES = 5_000
MAX_ID = 128
MAX_DATA_BYTES = 262_144
MAX_EXPRESSIONS = 102_400
"""Characters of all CEL expressions of a graph, which bounds the time to compile them."""
MAX_NAMED = 10
"""Names listed in one message."""
NO_WIRES: tuple[Sequence[str], Sequence[str]] = ((), ())


def parse_graph(
    nodes: Sequence[Mapping[str, Any]],
    edges: Sequence[Mapping[str, Any]],
    *,
    allow_private: bool = True,
    allow_reserved: bool = True,
    judge: Judge | None = None,
    callees: Callees | None = None,
) -> ParsedGraph:
    """Parse a document's graph. The result lists all problems, and each body its own."""
    draft = ParsedGraph(
        allow_private=allow_private, allow_reserved=allow_reserved, judge=judge, callees=callees
    )
    return _parse_into(draft, nodes, edges)


def _parse_into(
    draft: ParsedGraph, nodes: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]]
) -> ParsedGraph:
    total = draft.total
    total.nodes, total.edges = total.nodes + len(nodes), total.edges + len(edges)
    for name, count, limit in (
        ("nodes", total.nodes, MAX_NODES),
        ("edges", total.edges, MAX_EDGES),
    ):
        if count > limit:
            with_bodies = " with those of its bodies" if draft.depth else ""
            draft.report(f"The graph has {count} {name}{with_bodies}; at most {limit} are allowed")
    if draft.problems:
        return draft
    draft.wires = _name_wires(edges)
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
    data = _read_data(draft, node_id, raw)
    unknown = ParsedNode(position=position, id=node_id)
    if data is None:
        return unknown
    policy = _read_policy(draft, kind, node_id, data)
    if kind is None or not _is_within_budget(draft, node_id, data):
        return unknown
    try:
        settings = kind.parse(data, draft.judge)
    except SettingsError as error:
        draft.report_settings(error, node_id)
        shown = with_error_out(kind, kind.sketch(data))
        # Without a type, errors that follow from its settings are not reported; missing wires are.
        return replace(unknown, inputs=kind.needs(data), shown=shown)
    wired_inputs, _ = draft.wires.get(node_id, NO_WIRES)
    draft.report_settings(SettingsError(*kind.wire_faults(settings, wired_inputs)), node_id)
    if not draft.allow_reserved:
        draft.report_settings(SettingsError(*kind.outdated(settings)), node_id)
    if not draft.allow_private:
        _check_target(draft, node_id, kind, kind.fixed_url(settings))
    parsed = replace(unknown, type=kind, settings=settings, data=data, policy=policy)
    if isinstance(kind, RoundsNode):
        return _add_parts(draft, parsed, kind)
    if isinstance(kind, ChildrenNode):
        return _connect(draft, parsed, kind)
    return _with_sockets(draft, parsed, kind)


def _with_sockets(draft: ParsedGraph, parsed: ParsedNode, kind: NodeType) -> ParsedNode:
    plain = Sockets(kind.inputs(parsed.settings), kind.outputs(parsed.settings))
    if not draft.allow_reserved:
        # After a save, a called workflow may get other outputs.
        faults = fallback_faults(parsed.policy, plain.outputs)
        draft.report_settings(SettingsError(*faults), parsed.id)
    sockets = with_error_out(kind, plain, parsed.policy)
    return replace(parsed, inputs=sockets.inputs, outputs=sockets.outputs, shown=sockets)


def _connect(draft: ParsedGraph, parsed: ParsedNode, kind: ChildrenNode) -> ParsedNode:
    """Give a node the sockets of its body or of the workflow that it calls."""
    callee, body, faults = kind.callee(parsed.settings), None, Faults()
    interface: CalleeInterface | SettingFault
    if callee is None:
        body = _parse_body(draft, parsed.settings.body)
        interface = interface_of_graph(body)
    elif draft.callees is None:
        interface = _wired_interface(draft, parsed, kind)
    else:
        interface = draft.callees[callee]
    if isinstance(interface, SettingFault):
        draft.report_settings(SettingsError(interface), parsed.id)
        settings = kind.connect(parsed.settings, _wired_interface(draft, parsed, kind), faults)
        shown = Sockets(kind.inputs(settings), kind.outputs(settings))
        shown = with_error_out(kind, shown, parsed.policy)
        return replace(parsed, type=None, settings=None, shown=shown)
    settings = kind.connect(parsed.settings, interface, faults)
    connected = _with_sockets(draft, replace(parsed, settings=settings, body=body), kind)
    if body is not None and body.problems:
        # Without a form the sockets are not known: problems that follow from it are not reported.
        has_form = any(isinstance(each.type, RequestInput) for each in body.nodes.values())
        return connected if has_form else replace(connected, type=None)
    draft.report_settings(SettingsError(*faults.found), parsed.id)
    return replace(connected, type=None) if faults.found else connected


def _add_parts(draft: ParsedGraph, parsed: ParsedNode, kind: RoundsNode) -> ParsedNode:
    """Give a node the graphs of its children; each problem of one is a problem of the node.

    The children have the attempts of the settings, and the node itself has one.
    """
    wrong = map((draft.callees or {}).get, kind.callees(parsed.settings))
    reasons = [each.reason for each in wrong if isinstance(each, SettingFault)]
    parts = {
        name: parse_graph(part.nodes, part.edges, allow_private=draft.allow_private)
        for name, part in kind.parts(parsed.settings).items()
    }
    reasons += [each.reason for part in parts.values() for each in part.problems]
    faults = [SettingFault(each, "tools", is_beyond_schema=True) for each in dict.fromkeys(reasons)]
    with_parts = replace(parsed, parts=parts, policy=replace(parsed.policy, attempts=1))
    connected = _with_sockets(draft, with_parts, kind)
    draft.report_settings(SettingsError(*faults), parsed.id)
    return replace(connected, type=None) if faults else connected


def _wired_interface(draft: ParsedGraph, parsed: ParsedNode, kind: ChildrenNode) -> CalleeInterface:
    inputs, outputs = draft.wires.get(parsed.id, NO_WIRES)
    own = {*kind.outputs(parsed.settings), ERROR_OUT}
    return wired_interface(inputs, (name for name in outputs if name not in own))


def _parse_body(outer: ParsedGraph, body: Mapping[str, Any]) -> ParsedGraph:
    inner = ParsedGraph(
        allow_private=outer.allow_private,
        allow_reserved=outer.allow_reserved,
        judge=outer.judge,
        callees=outer.callees,
        total=outer.total,
        depth=outer.depth + 1,
    )
    if inner.depth > MAX_DEPTH:
        inner.report(f"Bodies are nested more than {MAX_DEPTH} deep")
        return inner
    _parse_into(inner, body["nodes"], body["edges"])
    if not inner.problems or inner.nodes:
        for kind, title in (
            (RequestInput.type, "Request Input"),
            (ResponseOutput.type, "Response Output"),
        ):
            if not any(raw.get("type") == kind for raw in body["nodes"]):
                inner.report(f"The body has no {title}; it needs one")
    return inner


def interface_of_graph(graph: ParsedGraph) -> CalleeInterface:
    """Return the inputs and named outputs of a graph, as far as it has no problems."""
    settings = [node.settings for node in graph.nodes.values()]
    fields = (each.fields for each in settings if isinstance(each, RequestInputSettings))
    outputs = [each.names for each in settings if isinstance(each, ResponseOutputSettings)]
    return CalleeInterface(
        fields=next(fields, ()), has_result=bool(outputs), outputs=next(iter(outputs), ())
    )


def _name_wires(
    edges: Sequence[Mapping[str, Any]],
) -> dict[str, tuple[Sequence[str], Sequence[str]]]:
    """Return the names of the input and output sockets with edges, by node."""
    found: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for edge in edges:
        for end, handle, side in (("target", "targetHandle", 0), ("source", "sourceHandle", 1)):
            node_id, name = edge.get(end), edge.get(handle)
            if isinstance(node_id, str) and isinstance(name, str):
                found.setdefault(node_id, ({}, {}))[side][name] = None
    return {node_id: (tuple(ins), tuple(outs)) for node_id, (ins, outs) in found.items()}


def _check_target(draft: ParsedGraph, node_id: str, kind: NodeType, url: str | None) -> None:
    try:
        if url is not None:
            check_url(url)
    except UrlRefused as error:
        draft.report(f"{kind.url_member}: {error}", node=node_id, field=kind.url_member)


def _is_id(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= MAX_ID


def _find_type(draft: ParsedGraph, node_id: str, name: object) -> NodeType | None:
    found = node_type(name) if isinstance(name, str) else None
    # A graph of our own making is compiled, and never checked for a save.
    if found is None or (found.is_inner and not draft.allow_reserved):
        known = ", ".join(sorted(each.type for each in NODE_TYPES))
        reason = f"There is no node type {_quote(name)} here; there are {known}"
        draft.report(reason, node=node_id)
        return None
    return found


def _read_data(draft: ParsedGraph, node_id: str, raw: Mapping[str, Any]) -> dict[str, Any] | None:
    data = raw.get("data")
    if data is None:
        return {}
    if not isinstance(data, dict):
        draft.report("data must be an object", node=node_id)
        return None
    reason = fault(data)
    if reason:
        draft.report(f"data {reason}", node=node_id)
        return None
    has_body = raw.get("type") == ForEach.type  # whose nodes have the same limit
    counted = {name: data[name] for name in data if not has_body or name != BODY.name}
    size = len(msgspec.json.encode(counted))
    if size > MAX_DATA_BYTES:
        reason = f"data has {size} bytes as JSON; at most {MAX_DATA_BYTES} are allowed"
        draft.report(reason, node=node_id)
        return None
    return data


def _is_within_budget(draft: ParsedGraph, node_id: str, data: Mapping[str, Any]) -> bool:
    draft.total.expressions += _expression_length(data)
    if draft.total.expressions <= MAX_EXPRESSIONS:
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


def _read_policy(
    draft: ParsedGraph, kind: NodeType | None, node_id: str, data: Mapping[str, Any]
) -> Policy:
    if not draft.allow_reserved:
        draft.report_settings(SettingsError(*reserved_faults(data)), node_id)
    try:
        return parse_policy(data, takes_timeout=kind is None or kind.takes_timeout)
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
