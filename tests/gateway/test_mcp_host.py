"""The home of the library's server."""

import asyncio

import pytest

from engine.settings import Settings
from gateway import mcp_host
from gateway.mcp_host import McpHost, McpMissing


async def test_the_server_starts_once_for_many_requests() -> None:
    host = McpHost()

    servers = await asyncio.gather(*(host.server(Settings()) for _ in range(5)))
    await host.close()

    assert len({id(server) for server in servers}) == 1


async def test_a_host_that_was_never_asked_closes() -> None:
    await McpHost().close()


async def test_a_missing_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcp_host, "SERVER", "mcp.is_not_here")

    with pytest.raises(McpMissing):
        await McpHost().server(Settings())
