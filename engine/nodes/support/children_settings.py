"""Settings of nodes with children: the body, or the called workflow and its version."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.nodes.support.children import Callee
from engine.nodes.support.settings import Faults, Schema, Setting, pattern, reader, whole

MAX_VERSION = 2**31 - 1
SLUG = "[a-z0-9-]{1,64}"
NODE_MEMBERS = ("id", "type")
EDGE_MEMBERS = ("id", "source", "sourceHandle", "target", "targetHandle")
"""Members of a node and of an edge of a body that are texts."""


def called_workflow(*, is_required: bool = False) -> Setting:
    """Return the setting for the slug of the called workflow."""
    return pattern(
        "workflow",
        "Slug of the workflow that is called, one of the account.",
        SLUG,
        "must be the slug of a workflow: 1 to 64 characters out of a-z, 0-9 and '-'",
        widget="workflow",
        is_required=is_required,
        missing="is missing: it is the slug of a workflow" if is_required else "",
    )


def _accept_body(raw: Any) -> Mapping[str, Any] | None:
    if not isinstance(raw, dict):
        return None
    nodes, edges = raw.get("nodes"), raw.get("edges")
    if not isinstance(nodes, list) or not isinstance(edges, list):
        return None
    is_graph = all(map(_is_node, nodes)) and all(_has_texts(edge, EDGE_MEMBERS) for edge in edges)
    return raw if is_graph else None


def _is_node(raw: Any) -> bool:
    return _has_texts(raw, NODE_MEMBERS) and isinstance(raw.get("data", {}), dict)


def _has_texts(raw: Any, names: Sequence[str]) -> bool:
    return isinstance(raw, dict) and all(isinstance(raw.get(name), str) for name in names)


def _object_schema(texts: Sequence[str], **others: Schema) -> Schema:
    members = {name: {"type": "string"} for name in texts} | others
    return {"type": "object", "properties": members, "required": list(texts)}


BODY = Setting(
    name="body",
    about="Graph that runs for each item, with one Request Input and one Response Output.",
    widget="body",
    value={
        "type": "object",
        "properties": {
            "nodes": {
                "type": "array",
                "items": _object_schema(NODE_MEMBERS, data={"type": "object"}),
            },
            "edges": {"type": "array", "items": _object_schema(EDGE_MEMBERS)},
        },
        "required": ["nodes", "edges"],
    },
    parse=reader(_accept_body, "must be an object with nodes and edges, as a workflow has them"),
)
VERSION = whole(
    "version",
    "Version of the workflow; without it, the live one when the node begins.",
    1,
    MAX_VERSION,
)


def read_callee(workflow: Setting, data: Mapping[str, Any], faults: Faults) -> Callee | None:
    """Return the workflow that `data` names, if any; add the faults of its members.

    `retry` is a fault too: a node with children has one attempt.
    """
    slug, version = workflow.read(data, faults), VERSION.read(data, faults)
    if data.get("retry") is not None:
        faults.add_rule("retry: the nodes of the children have their own retries", "retry")
    if slug is None and version is not None:
        faults.add_rule("version: there is no workflow that it is a version of", "version")
    return None if slug is None else Callee(workflow=slug, version=version)
