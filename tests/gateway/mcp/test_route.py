"""The route `/mcp`: its guard, and the official client over real HTTP."""

import contextlib
import json
from collections.abc import AsyncIterator

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.gateway.conftest import Gateway
from tests.support.gateway.documents import greeting
from tests.support.gateway.fake_worker import FakeWorker
from tests.support.gateway.raw_requests import exchange, request, statuses


@contextlib.asynccontextmanager
async def connected(gateway: Gateway, key: str, mode: str = "2026-07-28") -> AsyncIterator[Client]:
    headers = {"authorization": f"Bearer {key}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(streamable_http_client(f"{gateway.url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


async def test_white_space_after_the_value_of_a_header_is_none_of_it(
    gateway: Gateway, client: httpx2.AsyncClient, api_key: str, worker: FakeWorker
) -> None:
    await client.post("/api/workflows", json=greeting())
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": "greeting", "arguments": {"name": "Ada"}, "_meta": meta}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = {
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": "greeting",
        "x-api-key": api_key,
    }
    lines = [f"{name}: {value}  " for name, value in headers.items()]

    answer = await exchange(gateway.url, request("POST", "/mcp", *lines, body=json.dumps(call)))

    assert statuses(answer) == [200], answer


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_the_official_client_lists_and_calls_a_workflow(
    gateway: Gateway, client: httpx2.AsyncClient, api_key: str, worker: FakeWorker, mode: str
) -> None:
    await client.post("/api/workflows", json=greeting())

    async with connected(gateway, api_key, mode) as mcp:
        listed = await mcp.list_tools()
        result = await mcp.call_tool("greeting", {"name": "Ada"})

    assert [tool.name for tool in listed.tools] == ["greeting"]
    assert result.structured_content == {"text": "Ada"}
    assert not result.is_error
