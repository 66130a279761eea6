"""Calls of tools of servers of the Model Context Protocol, for nodes.

The library is imported in a thread when a node first needs it: it takes half a second and 30 MB of
a process.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, structs

from engine.access.opened_secrets import NO_SECRETS, OpenedSecrets
from engine.errors.nodes import NodeFailed
from engine.net.url_policy import UrlRefused, check_url
from engine.nodes.support.base import HttpCall, HttpFetch
from engine.nodes.support.tool_servers import KeepMedia, RemoteTool, ToolAnswer, ToolServer
from engine.process.extras import install_hint
from engine.telemetry.traces.calls import NO_CALL, TOOL_ERROR, is_traced, open_tool_call

LIBRARY = "workers.mcp.client"
MAX_BYTES = 4_194_304
"""Largest answer of a server, and most arguments of a call."""


class NodeAccess(Struct, frozen=True, kw_only=True):
    """Secrets and services of the node that calls."""

    fetch: HttpFetch
    keep: KeepMedia
    secrets: OpenedSecrets = NO_SECRETS
    reserve: Callable[[int], Awaitable[None]] | None = None
    """Reserves memory for large answers; None: memory is not counted."""


async def list_tools(server: ToolServer, access: NodeAccess) -> Sequence[RemoteTool]:
    """Return the tools of a server, without the secrets that the call carried.

    Raises NodeFailed.
    """
    call, secrets = _make_call(server, access), access.secrets
    await _import_library()
    from workers.mcp import client
    from workers.mcp.transport import EgressTransport

    tools = await client.list_tools(server.url, EgressTransport(access.fetch, call))
    return [_redact(tool, secrets) for tool in tools] if secrets.values else tools


async def call_tool(
    server: ToolServer, tool: str, arguments: Mapping[str, Any], access: NodeAccess
) -> ToolAnswer:
    """Call a tool once; media in its answer are kept. Raises NodeFailed."""
    call = _make_call(server, access)
    if len(msgspec.json.encode(arguments)) > MAX_BYTES:
        message = f"The arguments of a call have at most {MAX_BYTES} bytes together"
        raise NodeFailed("invalid_value", message)
    await _import_library()
    from workers.mcp import answers, client
    from workers.mcp.transport import EgressTransport

    host = urlsplit(server.url).hostname or ""
    with open_tool_call(tool, host) if is_traced() else NO_CALL as span:
        transport = EgressTransport(access.fetch, call)
        result = await client.call_tool(server.url, transport, tool, arguments)
        answer = await answers.read_answer(result, access.secrets, access.keep)
        if span is not None and answer.is_error:
            span.error_type = TOOL_ERROR
        return answer


def _make_call(server: ToolServer, access: NodeAccess) -> HttpCall:
    """Return the call that all requests are like. Raises NodeFailed."""
    secrets = access.secrets
    try:
        target = check_url(server.url, allow_private=True)
    except UrlRefused as error:
        raise NodeFailed("url_blocked", str(error)) from None
    secrets.check_host(target.host)
    auth = server.auth
    return HttpCall(
        method="POST",
        url=server.url,
        headers=() if auth is None else ((auth.header, auth.value(secrets)),),
        timeout_seconds=server.timeout_seconds,
        max_bytes=MAX_BYTES,
        secrets=secrets,
        reserve=access.reserve,
    )


async def _import_library() -> None:
    """Import the library in a thread, each time: there a call waits until it is whole.

    A module is in `sys.modules` before its import has ended, for which the event loop would wait.
    Raises NodeFailed.
    """
    try:
        await asyncio.to_thread(import_module, LIBRARY)
    except ModuleNotFoundError as error:
        message = f"Tools of servers need the extra 'mcp' on the worker: {install_hint('mcp')}"
        raise NodeFailed("not_installed", message) from error


def _redact(tool: RemoteTool, secrets: OpenedSecrets) -> RemoteTool:
    values: dict[str, Any] = secrets.redact(structs.asdict(tool))
    return RemoteTool(**values)
