"""Client of one server of tools, by the library; imported when a node first needs it."""

import asyncio
import contextlib
import importlib.metadata
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeVar

import httpx2
import mcp_types as types
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from pydantic import TypeAdapter

from engine.errors.nodes import NodeFailed
from engine.nodes.support.tool_servers import RemoteTool
from workers.mcp.failures import explain, too_many_tools
from workers.mcp.transport import EgressTransport

MAX_PAGES = 50
MAX_TOOLS = 1_000
MAX_NAME = 256
ANY_OBJECT: Mapping[str, Any] = {"type": "object"}

_answers: TypeAdapter[types.CallToolResult | types.InputRequiredResult] = TypeAdapter(
    types.CallToolResult | types.InputRequiredResult
)
T = TypeVar("T")

for _name in ("mcp", "client", "httpx2"):
    # They log messages of servers, URLs and tracebacks, which have values of runs and secrets.
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)


async def list_tools(url: str, transport: EgressTransport) -> list[RemoteTool]:
    """Return the tools of a server, each name once. Raises NodeFailed."""
    return await _with_client(url, transport, _list_pages)


async def call_tool(
    url: str, transport: EgressTransport, tool: str, arguments: Mapping[str, Any]
) -> types.CallToolResult:
    """Call a tool once. Raises NodeFailed."""

    async def work(client: Client) -> types.CallToolResult | types.InputRequiredResult:
        try:
            return await _send_call(client, tool, arguments)
        except MCPError as error:
            if error.code != types.HEADER_MISMATCH:
                raise
            # The server wants arguments in headers too, which the client knows by its list. It has
            # refused the call before it began.
            await _list_pages(client)
            return await _send_call(client, tool, arguments)

    answer = await _with_client(url, transport, work)
    if isinstance(answer, types.CallToolResult):
        return answer.model_copy(update={"structured_content": transport.messages.structured})
    message = f"The tool '{tool}' asks its caller back, which a workflow cannot answer"
    raise NodeFailed("tool_input_required", message)


async def _send_call(
    client: Client, tool: str, arguments: Mapping[str, Any]
) -> types.CallToolResult | types.InputRequiredResult:
    # `Client.call_tool` would list all tools after each call, to check the result by their schema.
    params = types.CallToolRequestParams(name=tool, arguments=dict(arguments))
    return await client.session.send_request(types.CallToolRequest(params=params), _answers)


async def _list_pages(client: Client) -> list[RemoteTool]:
    found: dict[str, RemoteTool] = {}
    cursor: str | None = None
    for _ in range(MAX_PAGES):
        page = await client.list_tools(cursor=cursor)
        for tool in page.tools:
            if tool.name and len(tool.name) <= MAX_NAME:
                found.setdefault(tool.name, _describe(tool))
        if len(found) > MAX_TOOLS:
            raise too_many_tools()
        cursor = page.next_cursor
        if not cursor:
            return list(found.values())
    raise too_many_tools()


def _describe(tool: types.Tool) -> RemoteTool:
    is_object = tool.input_schema.get("type") == "object"
    schema = tool.input_schema if is_object else {**tool.input_schema, **ANY_OBJECT}
    return RemoteTool(
        name=tool.name, title=tool.title, description=tool.description or "", input_schema=schema
    )


async def _with_client(
    url: str, transport: EgressTransport, work: Callable[[Client], Awaitable[T]]
) -> T:
    try:
        async with asyncio.timeout_at(transport.deadline), _open(url, transport) as client:
            return await work(client)
    except Exception as error:
        raise explain(error, transport) from None


@contextlib.asynccontextmanager
async def _open(url: str, transport: EgressTransport) -> AsyncIterator[Client]:
    async with httpx2.AsyncClient(transport=transport, timeout=None, trust_env=False) as http:
        streams = streamable_http_client(url, http_client=http, max_sse_event_size=None)
        info = types.Implementation(name="headrace", version=_version())
        async with Client(streams, client_info=info, cache=None) as client:
            yield client


def _version() -> str:
    try:
        return importlib.metadata.version("headrace")
    except importlib.metadata.PackageNotFoundError:
        return "0"
