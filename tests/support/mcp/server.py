"""A real MCP server on loopback, by the official library, with faults that a test plants.

`with serving() as server:` runs it in a thread of this process. By itself, for a browser or a
process of its own: `python -m tests.support.mcp.server --port 8123 [--token TOKEN]`.
"""

import argparse
import asyncio
import json
import logging
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import mcp_types as types
import uvicorn
from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from tests.support.mcp.tools import TOOLS, Answer, TestTool

PATH = "/mcp"
START_SECONDS = 10.0
VERSION_HEADER = b"mcp-protocol-version"
MODERN = "2026-07-28"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault of HTTP requests; the default has none.

    `on` limits it to requests of one method of the protocol, `times` to the first requests.
    """

    on: str = ""
    times: int | None = None
    status: int | None = None
    """Answer with this status and `body`, instead of the server's answer."""
    body: bytes = b""
    content_type: str = "application/json"
    location: str = ""
    """Redirect there; with `status` 307 by default."""
    delay: float = 0.0
    """Seconds before the answer."""
    is_cut: bool = False
    """End the connection after the head of the answer."""


@dataclass(frozen=True, kw_only=True)
class ReceivedRequest:
    """An HTTP request; `method` is that of the protocol, empty for none."""

    http_method: str
    method: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(kw_only=True)
class McpServer:
    """A server; all members may change while it runs."""

    url: str = ""
    tools: list[TestTool] = field(default_factory=lambda: list(TOOLS))
    page_size: int = 100
    """Tools of a page of the list."""
    is_endless: bool = False
    """Each page of the list has a next one."""
    token: str | None = None
    """Bearer token without which requests get a 401."""
    is_legacy: bool = False
    """Know only the revisions up to 2025-11-25, with sessions."""
    fault: Fault | None = None
    requests: list[ReceivedRequest] = field(default_factory=list)
    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    """Tool and arguments of each call that began."""
    finished: list[str] = field(default_factory=list)
    """Tool of each call that came to its end."""
    cancelled: list[str] = field(default_factory=list)
    """Tool of each call that was cancelled."""
    _spent: int = 0

    def plant(self, fault: Fault | None) -> None:
        """Plant a fault, or remove it."""
        self._spent = 0
        self.fault = fault

    def methods(self) -> Sequence[str]:
        """Return the methods of the protocol in the order of their requests."""
        return [each.method for each in self.requests]

    async def list_tools(
        self, _: ServerRequestContext[Any], params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        """Answer `tools/list`."""
        start = int(params.cursor) if params and params.cursor else 0
        end = start + self.page_size
        page = self.tools[start:end] or (self.tools if self.is_endless else [])
        has_more = self.is_endless or end < len(self.tools)
        return types.ListToolsResult(
            tools=[each.wire() for each in page],
            next_cursor=str(end) if has_more else None,
            ttl_ms=0,
            cache_scope="private",
        )

    async def call_tool(
        self, context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> Answer:
        """Answer `tools/call`."""
        tool = next((each for each in self.tools if each.name == params.name), None)
        if tool is None:
            raise MCPError(code=types.INVALID_PARAMS, message=f"Unknown tool: {params.name}")
        arguments = params.arguments or {}
        self.calls.append((params.name, arguments))
        try:
            answer = await tool.work(arguments, context)
        except asyncio.CancelledError:
            self.cancelled.append(params.name)
            raise
        self.finished.append(params.name)
        return answer

    def find_schema(self, name: str) -> Mapping[str, Any] | None:
        """Return the schema of a tool, by which arguments in headers are checked."""
        return next((each.wire().input_schema for each in self.tools if each.name == name), None)

    def take_fault(self, method: str) -> Fault | None:
        """Return the fault of a request of this method."""
        fault = self.fault
        if fault is None or (fault.on and fault.on != method):
            return None
        self._spent += 1
        return None if fault.times is not None and self._spent > fault.times else fault


class _Endpoint:
    """The endpoint: notes requests, plants faults, and leaves the rest to the library."""

    def __init__(self, server: McpServer, manager: StreamableHTTPSessionManager) -> None:
        self._server = server
        self._manager = manager

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive)
        request = _received(scope, body)
        self._server.requests.append(request)
        fault = self._server.take_fault(request.method)
        if fault is not None:
            await asyncio.sleep(fault.delay)
            if fault.is_cut:
                await _cut(send)
                return
            if fault.status is not None or fault.location:
                await _answer(send, fault)
                return
        token = self._server.token
        if token is not None and request.headers.get("authorization") != f"Bearer {token}":
            await _answer(send, Fault(status=401, body=b'{"error": "invalid_token"}'))
        elif self._server.is_legacy and request.headers.get(VERSION_HEADER.decode()) == MODERN:
            await _answer(send, Fault(status=400, body=b"Bad Request: no session id"))
        else:
            await self._manager.handle_request(scope, _replay(body, receive), send)


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] != "http.request" or not message.get("more_body"):
            return body


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _received(scope: Scope, body: bytes) -> ReceivedRequest:
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
    try:
        method = str(json.loads(body).get("method", ""))
    except (ValueError, AttributeError):
        method = ""
    return ReceivedRequest(http_method=scope["method"], method=method, headers=headers, body=body)


async def _answer(send: Send, fault: Fault) -> None:
    headers = [(b"content-type", fault.content_type.encode())]
    if fault.location:
        headers.append((b"location", fault.location.encode()))
    status = fault.status or 307
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": fault.body})


async def _cut(send: Send) -> None:
    headers = [(b"content-type", b"text/event-stream"), (b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b": begun\n\n", "more_body": True})
    raise ConnectionAbortedError("a planted fault ends the connection")


def make_app(server: McpServer) -> Starlette:
    """Return the ASGI application of a server."""
    lowlevel: Server[Any] = Server(
        "tests",
        version="1",
        on_list_tools=server.list_tools,
        on_call_tool=server.call_tool,
        get_tool_input_schema=server.find_schema,
    )
    manager = StreamableHTTPSessionManager(lowlevel)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with manager.run():
            yield

    endpoint = _Endpoint(server, manager)
    return Starlette(routes=[Route(PATH, endpoint=endpoint)], lifespan=lifespan)


@contextmanager
def serving(server: McpServer | None = None, *, port: int = 0) -> Iterator[McpServer]:
    """Run a server in a thread while the context lasts."""
    server = server or McpServer()
    listener = socket.create_server(("127.0.0.1", port))
    server.url = f"http://127.0.0.1:{listener.getsockname()[1]}{PATH}"
    config = uvicorn.Config(
        make_app(server),
        loop="uvloop",  # the other one leaves the delays of small writes on
        log_config=None,
        log_level=logging.CRITICAL,
        timeout_graceful_shutdown=1,
    )
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, args=([listener],), daemon=True)
    thread.start()
    try:
        _await_start(running)
        yield server
    finally:
        running.should_exit = True
        thread.join(START_SECONDS)
        listener.close()


def _await_start(running: uvicorn.Server) -> None:
    pause = threading.Event()
    for _ in range(int(START_SECONDS / 0.01)):
        if running.started:
            return
        pause.wait(0.01)
    raise TimeoutError("the MCP server of the test did not start")


def main() -> None:
    """Serve until the end of input or an interrupt."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token")
    parser.add_argument("--legacy", action="store_true")
    options = parser.parse_args()
    server = McpServer(token=options.token, is_legacy=options.legacy)
    with serving(server, port=options.port):
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
