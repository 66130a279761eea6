"""Parsed graph of a document: its nodes, edges and problems."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.errors.nodes import SettingFault, SettingsError
from engine.nodes.support.base import NodeType
from engine.nodes.support.children import Callee, CalleeInterface
from engine.nodes.support.policy import Policy
from engine.nodes.support.settings import Judge
from engine.values.sockets import NO_SOCKETS, Socket, Sockets

Callees = Mapping[Callee, CalleeInterface | SettingFault]
"""Interface of each called workflow, or the fault of the setting that names it."""


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
    path: tuple[str, ...] = ()
    """With a problem inside of a body: ids of the outer nodes, from the outermost one, and of the
    inner node. `node_id` is the outermost one; edge, field and socket are those of the body.
    """

    def as_dict(self) -> dict[str, Any]:
        """Return the problem in the format of errors that refuse a save or a run."""
        return _without_none(
            nodeId=self.node_id,
            edgeId=self.edge_id,
            path=list(self.path) or None,
            reason=self.reason,
        )

    def as_detail(self) -> dict[str, Any]:
        """Return the problem in the format of a check, with its setting and socket."""
        return _without_none(
            nodeId=self.node_id,
            edgeId=self.edge_id,
            path=list(self.path) or None,
            field=self.field,
            socket=self.socket,
            reason=self.reason,
        )

    def inside(self, outer: str) -> "Problem":
        """Return the problem of a body as one of the graph whose node `outer` has the body."""
        inner = self.path or (() if self.node_id is None else (self.node_id,))
        return replace(self, node_id=outer, path=(outer, *inner))

    def within(self, path: Sequence[str]) -> "Problem":
        """Return the problem of the graph inside of these nodes as one of the document."""
        problem = self
        for outer in reversed(path):
            problem = problem.inside(outer)
        return problem


def problem_at(path: tuple[str, ...], reason: str, field: str | None = None) -> Problem:
    """Return the problem of the node at a path of ids, from the outermost one."""
    is_inner = len(path) > 1
    return Problem(reason=reason, node_id=path[0], path=path if is_inner else (), field=field)


def _without_none(**members: Any) -> dict[str, Any]:
    return {key: value for key, value in members.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedNode:
    """Node of the document; `type` is None if its type or settings are invalid."""

    position: int
    id: str
    type: NodeType | None = None
    settings: Any = None
    data: Mapping[str, Any] = field(default_factory=dict)
    """Settings as the document has them; empty if they are invalid."""
    policy: Policy = field(default_factory=Policy)
    inputs: Mapping[str, Socket] = field(default_factory=dict)
    outputs: Mapping[str, Socket] = field(default_factory=dict)
    shown: Sockets = NO_SOCKETS
    """Sockets for an editor, as far as invalid settings determine them."""
    body: "ParsedGraph | None" = None
    """Graph that the node runs for each item."""
    parts: "Mapping[str, ParsedGraph]" = field(default_factory=dict)
    """Graphs that the node's type makes for its children, by name."""

    @property
    def is_sound(self) -> bool:
        """Whether neither the settings nor the body have problems."""
        return self.type is not None and not (self.body and self.body.problems)

    def shown_sockets(self) -> dict[str, Any]:
        """Return the sockets in the format of the API, with those of the body's nodes."""
        shown: dict[str, Any] = dict(self.shown.as_dict())
        if self.body is not None:
            shown["body"] = self.body.shown_sockets()
        return shown


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedEdge:
    """Edge between two existing nodes."""

    id: str
    source: ParsedNode
    output: str
    target: ParsedNode
    socket: str


@dataclass(slots=True)
class Totals:
    """Sizes of a graph so far, together with its bodies."""

    nodes: int = 0
    edges: int = 0
    expressions: int = 0
    """Characters of CEL expressions."""


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
    callees: Callees | None = None
    """Called workflows; None: nodes that call one have the sockets that their wires name."""
    wires: Mapping[str, tuple[Sequence[str], Sequence[str]]] = field(default_factory=dict)
    """Names of the input and output sockets with edges, by node."""
    total: Totals = field(default_factory=Totals)
    depth: int = 0
    """Bodies around the graph."""

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

    def shown_sockets(self) -> dict[str, Any]:
        """Return the sockets of each node in the format of the API, by its id."""
        return {node.id: node.shown_sockets() for node in self.nodes.values()}
