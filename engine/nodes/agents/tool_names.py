"""Tools that a model is offered, by the names by which it calls them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Struct

from engine.errors.nodes import NodeFailed

COLLIDE = "tool_names_collide"
TOOL_NOT_FOUND = "tool_not_found"
MAX_NAME = 64
MAX_TOOLS = 128
"""Most tools of an agent; providers take no more."""
MAX_DESCRIPTION = 4_096
OTHERS = re.compile(r"[^a-zA-Z0-9_-]+")
NO_ARGUMENTS: Mapping[str, Any] = MappingProxyType({"type": "object", "properties": {}})


class KnownTool(Struct, frozen=True, kw_only=True):
    """Tool that a model is offered."""

    name: str
    """Name for the model, `[a-zA-Z0-9_-]{1,64}`."""
    description: str = ""
    parameters: Mapping[str, Any] = msgspec.field(default_factory=lambda: dict(NO_ARGUMENTS))
    """JSON Schema of the arguments, an object."""
    workflow: str = ""
    """Slug of the workflow that is called; empty: a server has the tool."""
    version: int = 0
    """Version of the workflow, the live one when the agent began."""
    server: int | None = None
    """Position in the list `tools` of the server that has the tool."""
    remote_name: str = ""
    """Name of the tool on its server."""


def fit_name(name: str) -> str:
    """Return the name for a model of a tool that a server names so."""
    return OTHERS.sub("_", name)[:MAX_NAME] or "tool"


def remote_tools(server: int, only: str | None, listed: object) -> list[KnownTool]:
    """Return the tools of a server by its list, or `only` one. Raises NodeFailed.

    Descriptions are data of a stranger, which the model gets as such.
    """
    rows = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    named = [each for each in rows if only is None or each.get("name") == only]
    if only is not None and not named:
        message = f"Server {server + 1} of 'tools' has no tool '{only}'"
        raise NodeFailed(TOOL_NOT_FOUND, message)
    return [_remote_tool(server, each) for each in named]


def _remote_tool(server: int, row: Mapping[str, Any]) -> KnownTool:
    name, schema = str(row.get("name") or ""), row.get("inputSchema")
    return KnownTool(
        name=fit_name(name),
        description=str(row.get("description") or row.get("title") or "")[:MAX_DESCRIPTION],
        parameters=schema if isinstance(schema, dict) else dict(NO_ARGUMENTS),
        server=server,
        remote_name=name,
    )


def check_names(tools: Sequence[KnownTool], approve: Iterable[str]) -> dict[str, KnownTool]:
    """Return the tools by their names. Raises NodeFailed.

    A name in `approve` of no tool is a failure: calls would go unapproved because of a typing
    error, or because a server has renamed its tool.
    """
    if len(tools) > MAX_TOOLS:
        message = f"The agent has {len(tools)} tools; at most {MAX_TOOLS} are allowed"
        raise NodeFailed("too_many_tools", message)
    known: dict[str, KnownTool] = {}
    for each in tools:
        if each.name in known:
            message = f"Two tools have the name '{each.name}'; a model could not tell them apart"
            raise NodeFailed(COLLIDE, message)
        known[each.name] = each
    for name in approve:
        if name not in known:
            message = f"'approve' names '{name}', and the agent has no such tool"
            raise NodeFailed(TOOL_NOT_FOUND, message)
    return known
