"""The MCP server of tests, by the official client."""

from collections.abc import Iterator

import httpx2
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from tests.support.mcp.server import Fault, McpServer, serving


@pytest.fixture
def server() -> Iterator[McpServer]:
    with serving() as running:
        yield running


@pytest.mark.parametrize("is_legacy", [False, True])
async def test_it_lists_and_calls_tools_in_both_eras(server: McpServer, is_legacy: bool) -> None:
    server.is_legacy = is_legacy

    async with Client(server.url) as client:
        listed = await client.list_tools()
        answer = await client.call_tool("add", {"a": 1, "b": 2})

    assert [each.name for each in listed.tools] == [each.name for each in server.tools]
    assert answer.structured_content == {"sum": 3}
    assert server.calls == [("add", {"a": 1, "b": 2})]
    assert ("initialize" in server.methods()) == is_legacy


async def test_a_fault_holds_for_its_method_and_its_times(server: McpServer) -> None:
    async with Client(server.url) as client:
        server.plant(Fault(on="tools/call", status=500, times=1))
        await client.list_tools()
        with pytest.raises(MCPError):
            await client.call_tool("echo", {"text": "a"})
        answer = await client.call_tool("echo", {"text": "b"})

    assert not answer.is_error
    assert server.calls == [("echo", {"text": "b"})]


async def test_a_token_is_demanded(server: McpServer) -> None:
    server.token = "t"

    async with httpx2.AsyncClient() as client:
        refused = await client.post(server.url, json={})

    assert refused.status_code == 401


async def test_a_list_without_end_has_always_a_next_page(server: McpServer) -> None:
    server.page_size, server.is_endless = 4, True

    async with Client(server.url) as client:
        cursor = None
        for _ in range(8):
            page = await client.list_tools(cursor=cursor)
            cursor = page.next_cursor
            assert cursor is not None
