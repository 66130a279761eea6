"""Errors that no handler expects."""

import logging
from typing import Any

import httpx2
import pytest
from mcp import MCPError
from mcp_types import INTERNAL_ERROR

from engine.errors import EngineError, Unavailable
from engine.store.workflows.list import WorkflowList
from gateway.mcp.failures import FAULT
from tests.gateway.conftest import Gateway
from tests.support.gateway.documents import greeting
from tests.support.gateway.mcp_clients import LEGACY, MODERN, connected

MODES = pytest.mark.parametrize("mode", [MODERN, LEGACY])
SECRET = "redis://:password@10.0.0.7"


def fail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Let each look at the list of workflows fail."""

    async def look(*_: Any) -> Any:
        raise error

    for name in ("slugs", "find"):
        monkeypatch.setattr(WorkflowList, name, look)


@MODES
async def test_a_fault_of_ours_is_logged_and_not_told(
    gateway: Gateway,
    client: httpx2.AsyncClient,
    api_key: str,
    mode: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await client.post("/api/workflows", json=greeting())

    async with connected(gateway.url, api_key, mode) as mcp:
        with monkeypatch.context() as broken, caplog.at_level(logging.ERROR):
            fail(broken, RuntimeError(SECRET))
            for answer in (mcp.list_tools(), mcp.call_tool("greeting", {"name": "Ada"})):
                with pytest.raises(MCPError) as raised:
                    await answer
                assert (raised.value.code, raised.value.message) == (INTERNAL_ERROR, FAULT)
        assert [tool.name for tool in (await mcp.list_tools()).tools] == ["greeting"]

    methods = [record.__dict__.get("method") for record in caplog.records]
    assert methods == ["tools/list", "tools/call"]


@MODES
@pytest.mark.parametrize("error", [Unavailable()])
async def test_a_list_tells_the_code_and_sentence_of_an_error(
    gateway: Gateway,
    api_key: str,
    mode: str,
    error: EngineError,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with connected(gateway.url, api_key, mode) as mcp:
        fail(monkeypatch, error)
        with pytest.raises(MCPError) as raised:
            await mcp.list_tools()

    assert raised.value.code == INTERNAL_ERROR
    assert raised.value.message == f"{error.code}: {error.message}"
