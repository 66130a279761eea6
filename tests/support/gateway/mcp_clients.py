"""Clients of `/mcp`: the official one, and raw messages."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.support.eventually import PATIENCE_SECONDS

MODERN = "2026-07-28"
LEGACY = "legacy"
ACCEPT = "application/json, text/event-stream"
VERSION = "io.modelcontextprotocol/protocolVersion"
CLIENT = "io.modelcontextprotocol/clientInfo"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"


@contextlib.asynccontextmanager
async def connected(
    url: str, key: str, mode: str = MODERN, **options: Any
) -> AsyncIterator[Client]:
    """Yield the official client, which sends the key as a bearer token."""
    headers = {"authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(headers=headers, timeout=PATIENCE_SECONDS) as http:
        transport = streamable_http_client(f"{url}/mcp", http_client=http)
        async with Client(transport, mode=mode, **options) as client:
            yield client


def legacy_message(method: str, request_id: Any = 1, **params: Any) -> dict[str, Any]:
    """Return a request of a revision with sessions; without an id it is a notification."""
    message = {"jsonrpc": "2.0", "method": method, "params": params}
    return message if request_id is None else {**message, "id": request_id}


def modern_message(method: str, request_id: Any = 1, **params: Any) -> dict[str, Any]:
    """Return a request of the newest revision."""
    meta = {
        VERSION: MODERN,
        CLIENT: {"name": "test", "version": "1"},
        CAPABILITIES: {},
        **params.pop("_meta", {}),
    }
    return {
        "jsonrpc": "2.0",
        "id": request_id,
        "method": method,
        "params": {**params, "_meta": meta},
    }


def modern_headers(message: dict[str, Any]) -> dict[str, str]:
    """Return the headers of a request of the newest revision."""
    headers = {"accept": ACCEPT, "mcp-protocol-version": MODERN, "mcp-method": message["method"]}
    name = message["params"].get("name")
    return headers if name is None else {**headers, "mcp-name": name}
