"""Runs of one client while the gateway is killed again and again."""

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from deploy.net.http_client import call
from headrace_client import AsyncHeadrace
from tests.support.acceptance.commands import json_of, make_account
from tests.support.acceptance.running_stack import BARE, RunningStack, running
from tests.support.http.clients.lab import lab_before

pytestmark = pytest.mark.slow
DOCUMENT = Path(__file__).parent / "programs" / "scenario-call.json"
INPUTS = {"seconds": "0.3"}
"""Each kill meets runs that are under way."""
KILLS = 5
AT_ONCE = 8
LEAST_RUNS = 100


async def run_while_killing(stack: RunningStack, headrace: AsyncHeadrace, slug: str) -> list[str]:
    """Run and stream until the gateway was killed often enough; return the executions."""
    is_over = asyncio.Event()
    executions: list[str] = []

    async def run_on() -> None:
        while not is_over.is_set() or len(executions) < LEAST_RUNS:
            executions.append((await headrace.run(slug, INPUTS)).execution_id)
            events = [event async for event in headrace.stream(slug, INPUTS)]
            assert [event.event for event in events[:1]] == ["execution.started"]
            assert events[-1].data["status"] == "completed"
            executions.append(events[-1].execution_id)

    runs = [asyncio.create_task(run_on()) for _ in range(AT_ONCE)]
    for _ in range(KILLS):
        before = len(executions)
        async with asyncio.timeout(60):
            while len(executions) < before + 2 * AT_ONCE or not stack.part("gateway"):
                await asyncio.sleep(0.05)
        for pid in stack.part("gateway"):
            os.kill(pid, signal.SIGKILL)
    is_over.set()
    await asyncio.gather(*runs)
    return executions


async def drive(stack: RunningStack, key: str, slug: str) -> tuple[list[str], list[str]]:
    """Return the executions that the calls named, and all that are on record."""
    async with AsyncHeadrace(key, stack.url, max_retries=12) as headrace:
        named = await run_while_killing(stack, headrace, slug)
        on_record = [each.execution_id async for each in headrace.executions.list(limit=500)]
    return named, on_record


def test_each_call_is_one_execution_whatever_becomes_of_the_gateway(tmp_path: Path) -> None:
    with (
        running(tmp_path, *BARE, HEADRACE_ALLOW_PRIVATE_URLS="1") as stack,
        lab_before(stack.url) as lab,
    ):
        account = make_account(stack, tier="enterprise")
        options = ("--account", account["id"], "--capability", "workflow:*")
        key = json_of(stack, "key", "create", *options)["key"]
        document = json.loads(DOCUMENT.read_text(encoding="utf-8").replace("LAB", lab.url))
        slug = call("POST", f"{stack.url}/api/workflows", key=key, body=document)[1]["slug"]

        named, on_record = asyncio.run(drive(stack, key, slug))

    print(f"{len(named)} calls, {len(on_record)} executions, {KILLS} kills")
    assert len(named) == len(set(named)) >= LEAST_RUNS
    assert sorted(named) == sorted(on_record)
