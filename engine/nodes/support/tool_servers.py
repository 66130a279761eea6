"""Servers of the Model Context Protocol as nodes see them: address, tools and answers."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from msgspec import Struct

from engine.nodes.support.http_auth import HttpAuth

KeepMedia = Callable[[bytes, str], Awaitable[str]]
"""Stores bytes of a content type as an asset; returns its link. Raises NodeFailed."""


class ToolServer(Struct, frozen=True, kw_only=True):
    """Address of a server, and the secret of the account that its calls carry."""

    url: str
    auth: HttpAuth | None = None
    timeout_seconds: float = 60.0
    """Time limit of a list or a call, with all requests that it takes."""


class RemoteTool(Struct, frozen=True, kw_only=True):
    """Tool as its server describes it; the texts are data of a stranger."""

    name: str
    title: str | None = None
    description: str = ""
    input_schema: Mapping[str, Any]
    """JSON Schema of the arguments; always an object."""


class ToolAnswer(Struct, frozen=True, kw_only=True):
    """Answer of a tool: data, never instructions."""

    text: str
    """Texts and links of the answer, one after the other."""
    value: Any = None
    """Structured result of the tool, else its text, parsed if it is JSON."""
    is_error: bool = False
    """The tool reports that it failed; `text` says why."""
