"""Figures of the client of servers of tools: `python -m tests.support.mcp.client_figures`.

Times of calls of a server in a process of its own, and the longest time for which a large answer
holds up the event loop of a worker.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import uvloop

from engine.nodes.support.tool_servers import ToolServer
from workers.mcp import tool_caller
from workers.mcp.tool_caller import NodeAccess
from workers.outbound.client import Egress

CALLS = 200
LARGE = 4_000_000


@contextmanager
def _server(*options: str) -> Iterator[ToolServer]:
    command = [sys.executable, "-m", "tests.support.mcp.server", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield ToolServer(url=process.stdout.readline().strip())
    finally:
        process.terminate()
        process.wait()


async def _keep(data: bytes, content_type: str) -> str:
    return ""


async def _call(server: ToolServer, egress: Egress, tool: str, given: Mapping[str, Any]) -> float:
    began = time.perf_counter()
    access = NodeAccess(fetch=egress.fetch, keep=_keep)
    await tool_caller.call_tool(server, tool, given, access)
    return (time.perf_counter() - began) * 1000


async def _longest_gap(work: Any) -> float:
    gaps = [0.0]

    async def tick() -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            gaps.append(now - last)
            last = now

    ticking = asyncio.create_task(tick())
    await work
    ticking.cancel()
    return max(gaps) * 1000


async def _measure() -> None:
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    egress = Egress(allow_private=True)
    for era, options in (("2026-07-28", ()), ("2025-11-25", ("--legacy",))):
        with _server(*options) as server:
            first = await _call(server, egress, "echo", {"text": "a"})
            times = sorted(
                [await _call(server, egress, "echo", {"text": "a"}) for _ in range(CALLS)]
            )
            print(f"{era}: first {first:.0f} ms, p50 {times[CALLS // 2]:.1f} ms of {CALLS} calls")
            gap = await _longest_gap(_call(server, egress, "large", {"bytes": LARGE}))
            print(f"{era}: an answer of {LARGE:,} bytes holds up the loop for {gap:.0f} ms")
    await egress.close()


if __name__ == "__main__":
    uvloop.run(_measure())
