"""A client that starts `headrace mcp` has the tools of the server, in both eras of the protocol."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError

from tests.conftest import free_port
from tests.support.acceptance.running_stack import HEADRACE, environment
from tests.support.mcp.server import Fault, McpServer, serving

KEY = "hr_live_one"
ROOT = Path(__file__).parents[4]
ERAS = ("legacy", "auto")


@pytest.fixture
def server() -> Iterator[McpServer]:
    with serving() as started:
        yield started


def environ(url: str) -> dict[str, str]:
    return environment(HEADRACE_URL=url.removesuffix("mcp"), HEADRACE_API_KEY=KEY)


def client(server: McpServer, era: str, **options: Any) -> Client:
    command = StdioServerParameters(
        command=HEADRACE[0], args=[*HEADRACE[1:], "mcp"], env=environ(server.url), cwd=ROOT
    )
    return Client(command, mode=era, **options)


def piped(url: str, *lines: str) -> list[dict[str, Any]]:
    """Return the answers to lines of standard input."""
    done = subprocess.run(
        [*HEADRACE, "mcp"],
        input="".join(f"{line}\n" for line in lines),
        cwd=ROOT,
        env=environ(url),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


async def cancelled(server: McpServer) -> list[str]:
    with anyio.fail_after(10):
        while not server.cancelled:
            await anyio.sleep(0.01)
    return server.cancelled


@pytest.mark.parametrize("era", ERAS)
async def test_tools_are_listed_and_called(server: McpServer, era: str) -> None:
    async with client(server, era) as caller:
        listed = await caller.list_tools()
        result = await caller.call_tool("echo", {"text": "Grüße"})

    assert [tool.name for tool in listed.tools] == [tool.name for tool in server.tools]
    assert result.content[0].model_dump(include={"text"}) == {"text": "Grüße"}
    assert {each.headers["x-api-key"] for each in server.requests} == {KEY}


@pytest.mark.parametrize("era", ERAS)
async def test_progress_and_errors_arrive(server: McpServer, era: str) -> None:
    seen: list[float] = []

    async def note(done: float, total: float | None, message: str | None) -> None:
        seen.append(done)

    async with client(server, era) as caller:
        await caller.call_tool("progress", {}, progress_callback=note)
        with pytest.raises(MCPError, match="Unknown tool: none"):
            await caller.call_tool("none", {})

    assert seen == [1, 2, 3]


@pytest.mark.parametrize("era", ERAS)
async def test_a_cancelled_call_is_cancelled_at_the_server(server: McpServer, era: str) -> None:
    async with client(server, era) as caller:
        with anyio.move_on_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(caller.call_tool, "slow", {"seconds": 60})
                while not server.calls:
                    await anyio.sleep(0.01)
                group.cancel_scope.cancel()
        assert await cancelled(server) == ["slow"]
        await caller.list_tools()


@pytest.mark.parametrize("era", ERAS)
async def test_a_refusal_is_told_with_its_sentence(server: McpServer, era: str) -> None:
    body = json.dumps({"error": "Too many requests", "code": "RATE_LIMITED"}).encode()
    async with client(server, era) as caller:
        server.plant(Fault(on="tools/call", status=429, body=body))
        with pytest.raises(MCPError, match="RATE_LIMITED: Too many requests"):
            await caller.call_tool("echo", {"text": "a"})
        server.plant(Fault(on="tools/call", is_cut=True))
        with pytest.raises(MCPError, match="ended without a response"):
            await caller.call_tool("echo", {"text": "a"})
        server.plant(None)
        assert not (await caller.call_tool("echo", {"text": "a"})).is_error


async def test_a_restart_of_the_server_is_outlived() -> None:
    port = free_port()
    results: list[bool] = []

    async def call(caller: Client) -> None:
        results.append((await caller.call_tool("echo", {"text": "a"})).is_error)

    with ExitStack() as before:
        server = before.enter_context(serving(port=port))
        async with client(server, "auto") as caller, anyio.create_task_group() as group:
            await call(caller)
            before.close()
            group.start_soon(call, caller)
            await anyio.sleep(0.3)
            with serving(port=port):
                with anyio.fail_after(20):
                    while len(results) < 2:
                        await anyio.sleep(0.01)

    assert results == [False, False]


def test_lines_of_a_script_are_answered() -> None:
    listing = '{"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": {"_meta": %s}}'
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    with serving() as server:
        wrong, listed = piped(server.url, "no JSON", listing % json.dumps(meta))

    assert (wrong["id"], wrong["error"]["code"]) == (None, -32700)
    assert listed["id"] == 7 and len(listed["result"]["tools"]) == len(server.tools)
