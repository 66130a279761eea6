"""Settings of nodes with children: the body, or the called workflow and its version."""

from collections.abc import Mapping
from typing import Any

from engine.nodes.support.children import Callee
from engine.nodes.support.settings import Faults, Setting, pattern, reader, whole

MAX_VERSION = 2**31 - 1
SLUG = "[a-z0-9-]{1,64}"


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
    is_body = isinstance(raw, dict) and all(
        isinstance(raw.get(name), list) and all(isinstance(each, dict) for each in raw[name])
        for name in ("nodes", "edges")
    )
    return raw if is_body else None


BODY = Setting(
    name="body",
    about="Graph that runs for each item, with one Request Input and one Response Output.",
    widget="body",
    value={
        "type": "object",
        "properties": {
            "nodes": {"type": "array", "items": {"type": "object"}},
            "edges": {"type": "array", "items": {"type": "object"}},
        },
        "required": ["nodes", "edges"],
    },
    parse=reader(_accept_body, "must be an object with lists of nodes and edges"),
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
