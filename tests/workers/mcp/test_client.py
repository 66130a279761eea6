"""Use of the library's client: nothing of a call is repeated, and nothing of it is logged."""

import asyncio
import logging
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from tests.support.eventually import eventually
from tests.support.mcp.server import Fault
from tests.support.mcp.tools import TestTool, text_answer
from tests.workers.mcp.conftest import Caller
from workers.mcp import client


async def read(values: list[Any]) -> list[Any]:
    return values


async def test_its_loggers_reach_no_line(caller: Caller, caplog: pytest.LogCaptureFixture) -> None:
    assert client  # which sets their levels
    caller.server.plant(Fault(on="tools/call", status=200, body=b'{"canary": 1'))

    with caplog.at_level(logging.DEBUG), pytest.raises(NodeFailed):
        await caller.call("echo", {"text": "canary"})

    assert [each for each in caplog.records if "canary" in each.getMessage()] == []
    assert [each.name for each in caplog.records if each.name.startswith(("mcp", "httpx"))] == []


async def test_a_cancelled_call_cancels_the_tool(caller: Caller) -> None:
    await caller.call("echo", {"text": "warm"})
    task = asyncio.create_task(caller.call("slow", {"seconds": 30}))
    await eventually(lambda: read(caller.server.calls), until=lambda calls: len(calls) == 2)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await eventually(lambda: read(caller.server.cancelled), until=lambda names: names == ["slow"])


async def test_a_tool_of_headers_is_listed_once_and_called_once(caller: Caller) -> None:
    schema = {
        "type": "object",
        "properties": {"region": {"type": "string", "x-mcp-header": "Region"}},
    }

    async def answer(*_: object) -> object:
        return text_answer("there")

    tool = TestTool(name="region", work=answer, schema=schema)  # type: ignore[arg-type]
    caller.server.tools.append(tool)

    got = await caller.call("region", {"region": "eu"})

    assert got.text == "there" and len(caller.server.calls) == 1
    assert "tools/list" in caller.server.methods()
