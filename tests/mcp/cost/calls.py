"""Requests to `/mcp` of a running system: calls of W1 and lists of tools."""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.benchmarks.client import Caller, Endpoint, Load
from tests.benchmarks.systems import System
from tests.support.gateway.mcp_clients import modern_headers, modern_message


class ToolLoad(Load):
    """Load of tool calls, as `Load` has of runs over HTTP."""

    def __init__(self, endpoint: Endpoint, tool: str, expected: Callable[[str], Any]) -> None:
        super().__init__(endpoint, expected)
        self._tool, self._expect = tool, expected
        self._lines = _head(endpoint, modern_message("tools/call", name=tool))

    async def one(self, caller: Caller) -> float:
        """One call; returns its seconds."""
        self.count += 1
        name = f"n{self.count}"
        message = modern_message(
            "tools/call", self.count, name=self._tool, arguments={"name": name}
        )
        status, answer, seconds = await _exchange(caller, self._lines, message)
        result = json.loads(answer)["result"]
        if status != 200 or result["structuredContent"] != self._expect(name):
            raise AssertionError(f"wrong answer {status} {answer[:300]!r}")
        return seconds


class ListLoad(Load):
    """Load of lists of tools."""

    def __init__(self, endpoint: Endpoint, tools: int) -> None:
        super().__init__(endpoint, lambda name: None)
        self._tools = tools
        self._lines = _head(endpoint, modern_message("tools/list"))

    async def one(self, caller: Caller) -> float:
        """One list; returns its seconds."""
        self.count += 1
        message = modern_message("tools/list", self.count)
        status, answer, seconds = await _exchange(caller, self._lines, message)
        if status != 200 or len(json.loads(answer)["result"]["tools"]) != self._tools:
            raise AssertionError(f"wrong answer {status} {answer[:300]!r}")
        return seconds


def _head(endpoint: Endpoint, message: dict[str, Any]) -> str:
    headers = modern_headers(message) | {"content-type": "application/json"}
    lines = (f"POST /mcp HTTP/1.1\r\nHost: {endpoint.host}:{endpoint.port}", *endpoint.headers)
    return "\r\n".join((*lines, *(f"{name}: {value}" for name, value in headers.items())))


async def _exchange(
    caller: Caller, lines: str, message: dict[str, Any]
) -> tuple[int, bytes, float]:
    body = json.dumps(message)
    request = f"{lines}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    started = time.perf_counter()
    status, answer = await caller.post(request)
    return status, answer, time.perf_counter() - started


async def time_client(system: System, tool: str, mode: str, seconds: float) -> list[float]:
    """Return the seconds of calls by the official client, one after the other."""
    times: list[float] = []
    headers = {"x-api-key": system.key}
    url = f"http://127.0.0.1:{system.port}/mcp"
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        until = time.perf_counter() + seconds
        while time.perf_counter() < until or len(times) < 5:
            started = time.perf_counter()
            result = await client.call_tool(tool, {"name": "Ada"})
            times.append(time.perf_counter() - started)
            assert not result.is_error
    return times
