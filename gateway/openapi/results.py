"""Schema of a workflow's result, as far as its graph determines it."""

from collections.abc import Sequence
from typing import Any

from engine.graph.plan import Node, Plan
from engine.nodes.response_output import RESULT_IN
from engine.nodes.support.base import InEdge
from engine.values.sockets import MEDIA_TYPES, SocketType
from gateway.http.types import Schema
from gateway.openapi.schema import ANYTHING, LIST, NULL, TEXT, TEXTS, described, members

EXAMPLE_TEXT = "Hello Ada"
TEXT_OR_TEXTS: Schema = {"anyOf": [TEXT, TEXTS, NULL]}
"""A text or the URL of a medium; a list of them after a list; null for a missing value."""


def result_of(plan: Plan) -> tuple[Schema, Any]:
    """Return the schema of the result, and an example of it."""
    if plan.response_output is None:
        return NULL, None
    node = plan.nodes[plan.response_output]
    if all(wire.socket == RESULT_IN for wire in node.in_edges):
        return _collected(node.in_edges)
    return _named(node)


def _collected(in_edges: Sequence[InEdge]) -> tuple[Schema, Any]:
    """Return schema and example of unnamed inputs."""
    if len(in_edges) == 1 and in_edges[0].type is SocketType.TEXT:
        # A skipped text becomes null, and a list of texts a list.
        shape = {"anyOf": [members(text=TEXT), LIST, NULL]}
        return shape, {"text": EXAMPLE_TEXT}
    if len(in_edges) == 1 and in_edges[0].type in MEDIA_TYPES:
        name = f"{in_edges[0].type}s"
        shape = {"anyOf": [members(**{name: TEXTS}), NULL]}
        return shape, {name: [_example(in_edges[0].type)]}
    return described(
        ANYTHING, "The value that came in; several wires are sorted by their kinds."
    ), None


def _named(node: Node) -> tuple[Schema, Any]:
    """Return an object with a member for each named input, connected or not."""
    kinds: dict[str, SocketType] = {}
    for wire in node.in_edges:
        is_first = kinds.setdefault(wire.socket, wire.type) is wire.type
        kinds[wire.socket] = wire.type if is_first else SocketType.ANY
    names: tuple[str, ...] = node.settings.names
    shapes = {
        name: ANYTHING if kinds.get(name) is SocketType.ANY else TEXT_OR_TEXTS for name in names
    }
    return members(**shapes), {name: _example(kinds.get(name)) for name in names}


def _example(kind: SocketType | None) -> Any:
    if kind is SocketType.TEXT:
        return EXAMPLE_TEXT
    return f"https://example.com/{kind}" if kind in MEDIA_TYPES else None
