"""Fields of a Request Input whose values no node of a plan reads."""

from collections.abc import Sequence, Set
from typing import TYPE_CHECKING

from engine.nodes.request_input import PARAMS
from engine.nodes.support.base import InEdge
from engine.values.fields import SOCKETS, Field

if TYPE_CHECKING:
    from engine.graph.plan import Node


def find_unused(
    nodes: "Sequence[Node]",
    request_input: int | None,
    reachable: frozenset[int],
    fields: Sequence[Field],
) -> frozenset[str]:
    """Return the names of the fields that none of the reachable nodes reads."""
    used: set[str] = set()
    for node in (nodes[index] for index in reachable):
        for in_edge in node.in_edges:
            if in_edge.source == request_input:
                used |= _find_used(node, in_edge, fields)
    return frozenset(field.name for field in fields) - used


def _find_used(node: "Node", in_edge: InEdge, fields: Sequence[Field]) -> Set[str]:
    """Return the fields that a node reads through an edge from the Request Input."""
    if in_edge.output != PARAMS:
        return {in_edge.output}
    bundled = {field.name for field in fields if field.type not in SOCKETS}
    members = node.type.reads(node.settings, in_edge.socket)
    return bundled if members is None else bundled.intersection(members)
