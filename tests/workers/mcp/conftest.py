"""Fixtures of the client of servers of tools: a real server, and the client of outbound calls."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from engine.access.opened_secrets import NO_SECRETS, OpenedSecrets
from engine.nodes.support.base import HttpAnswer, HttpCall
from engine.nodes.support.http_auth import HttpAuth
from engine.nodes.support.tool_servers import RemoteTool, ToolAnswer, ToolServer
from tests.support.mcp.server import McpServer, serving
from workers.mcp import tool_caller
from workers.mcp.tool_caller import NodeAccess
from workers.outbound.client import Egress

AUTH = HttpAuth(type="bearer", secret="token")


@dataclass(kw_only=True)
class Caller:
    """Calls a server like a node."""

    server: McpServer
    egress: Egress
    secrets: OpenedSecrets = NO_SECRETS
    seconds: float = 10.0
    sent: list[HttpCall] = field(default_factory=list)
    kept: list[tuple[bytes, str]] = field(default_factory=list)
    reserved: int = 0
    """Bytes of memory."""

    async def list(self) -> Sequence[RemoteTool]:
        return await tool_caller.list_tools(self.target, self.access)

    async def call(self, tool: str, arguments: Mapping[str, Any] | None = None) -> ToolAnswer:
        return await tool_caller.call_tool(self.target, tool, arguments or {}, self.access)

    @property
    def access(self) -> NodeAccess:
        return NodeAccess(
            fetch=self.fetch, keep=self.keep, secrets=self.secrets, reserve=self.reserve
        )

    async def reserve(self, size: int) -> None:
        self.reserved += size

    @property
    def target(self) -> ToolServer:
        auth = AUTH if self.secrets.values else None
        return ToolServer(url=self.server.url, auth=auth, timeout_seconds=self.seconds)

    async def fetch(self, call: HttpCall) -> HttpAnswer:
        self.sent.append(call)
        return await self.egress.fetch(call)

    async def keep(self, data: bytes, content_type: str) -> str:
        self.kept.append((data, content_type))
        return f"https://kept.example/{len(self.kept)}"


@pytest.fixture
def server() -> Iterator[McpServer]:
    with serving() as running:
        yield running


@pytest.fixture
async def caller(server: McpServer) -> AsyncIterator[Caller]:
    egress = Egress(allow_private=True)
    yield Caller(server=server, egress=egress)
    await egress.close()
