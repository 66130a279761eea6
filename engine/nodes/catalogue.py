"""Catalogue of node types for editors: names, settings and sockets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.nodes import NODE_TYPES
from engine.nodes.support.base import NodeType
from engine.nodes.support.failures import with_error_out
from engine.nodes.support.policy import CACHE, POLICY, RETRY, TIMEOUT
from engine.nodes.support.settings import Schema, schema_of
from engine.values.json_schemas import DRAFT
from engine.values.sockets import Sockets

WAITS_FOR_SCHEMA = (
    "it can be used once the schema of the store is raised: run `headrace migrate` after the last "
    "process of the former version has stopped"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTypeEntry:
    """A node type of the catalogue."""

    type: str
    category: str
    label: str
    description: str
    settings: Schema
    """JSON Schema of a node's `data`."""
    sockets: Sockets
    """Sockets of a node without settings."""
    is_dynamic: bool
    """The sockets depend on the settings."""
    unavailable_reason: str | None
    """Reason why nodes of the type cannot be saved here; None: they can."""


def list_node_types(allows: Callable[[int], bool] = lambda _: True) -> Sequence[NodeTypeEntry]:
    """Return all node types, for the current registry of models and the installed extras.

    `allows` tells whether the store has a schema version, which a type may need.
    """
    return [_describe(each, allows) for each in NODE_TYPES]


def settings_schema(kind: NodeType) -> Schema:
    """Return the JSON Schema of the `data` of nodes of this type.

    Data that do not fit it cannot be saved. A save also checks rules between settings, templates,
    expressions, URLs and the fields of the node's model.
    """
    is_taken = {RETRY.name: kind.takes_retry, TIMEOUT.name: kind.takes_timeout}
    policy = (each for each in POLICY if is_taken.get(each.name, True))
    members = (*kind.members, *policy, CACHE)
    return {"$schema": DRAFT, "title": kind.label, **schema_of(members)}


def _describe(kind: NodeType, allows: Callable[[int], bool]) -> NodeTypeEntry:
    must_wait = None if allows(kind.since_schema) else WAITS_FOR_SCHEMA
    return NodeTypeEntry(
        type=kind.type,
        category=kind.category,
        label=kind.label,
        description=kind.description,
        settings=settings_schema(kind),
        sockets=with_error_out(kind, kind.sketch({})),
        is_dynamic=kind.is_dynamic,
        unavailable_reason=must_wait or kind.unavailable_reason(),
    )
