"""Workers, gateways and Redis killed while agents run: no step that has ended is repeated."""

import asyncio
import functools
import itertools
import json
import random
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.acceptance.running_stack import (
    RunningStack,
    kill_and_await,
    models_at,
    running,
    until,
)
from tests.support.contract.batch_caller import BatchCaller
from tests.support.http.providers import serving_provider
from tests.support.models.agent_trial import (
    STEPS,
    NotedCalls,
    agent,
    expected,
    repeated,
    six_steps,
    tool,
)

PARTS = ("worker", "gateway", "worker", "redis")
OPTIONS = ("--no-demo", "--workers", "3", "--gateways", "2")


class AgentRuns:
    """Runs of one agent, begun over HTTP."""

    def __init__(self, stack: RunningStack, provider: NotedCalls, tools_url: str) -> None:
        self.caller = BatchCaller(stack, "thinker", tier="pro")
        slug = self.caller.save("Tool", tool(tools_url))
        provider.script = six_steps(slug)
        self._slug = self.caller.save("Agent", agent(slug))
        self.ids: list[str] = []

    def begin(self) -> None:
        body = {"inputs": {"run": str(len(self.ids))}}
        path = f"/api/workflows/{self._slug}/run?async=true"
        self.ids.append(self.caller.ask("POST", path, body)["executionId"])

    def ended(self) -> int:
        return sum(self.get(each)["status"] != "processing" for each in self.ids)

    def get(self, execution_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.caller.ask("GET", f"/api/executions/{execution_id}")
        return found

    def children(self, execution_id: str) -> list[dict[str, Any]]:
        where = f"parentId={execution_id}&parentNodeId=agent&limit=100"
        rows: list[dict[str, Any]] = self.caller.ask("GET", f"/api/executions?{where}")["rows"]
        return rows


def check_run(runs: AgentRuns, number: int, ended: dict[tuple[int, int], int]) -> None:
    """Check result, steps and children of a run, and note when each child ended."""
    found = runs.get(runs.ids[number])
    assert found["status"] == "completed", found
    assert found["result"]["text"] == expected(number)
    steps = found["result"]["steps"]
    assert [each["status"] for each in steps] == ["completed"] * STEPS
    rows = runs.children(found["executionId"])
    assert [row["childIndex"] for row in rows] == list(range(STEPS))
    assert {row["status"] for row in rows} == {"completed"}
    costs = {row["executionId"]: row["creditsCost"] for row in rows}
    assert {each["childExecutionId"]: each["creditsCost"] for each in steps} == costs
    assert found["creditsCost"] == sum(costs.values()) > 0
    for row in rows:
        at = datetime.fromisoformat(row["completedAt"]).timestamp()
        ended[number, row["childIndex"]] = round(at * 1000)


def work(
    folder: Path, provider: NotedCalls, tools: NotedCalls, *, count: int, kills: int, pause: float
) -> None:
    environ = {"HEADRACE_LEASE_SECONDS": "2", **models_at(provider.url)}
    with running(folder, *OPTIONS, **environ) as stack:
        runs, which = AgentRuns(stack, provider, tools.url), random.Random(7)
        began = time.monotonic()
        for number, part in enumerate(itertools.islice(itertools.cycle(PARTS), kills), 1):
            for _ in range(len(runs.ids), count * number // kills):
                runs.begin()
            time.sleep(pause)
            kill_and_await(stack, part, which)
        print(f"{kills} kills in {time.monotonic() - began:.1f} s; {runs.ended()} runs had ended")
        until(runs.ended, lambda ended: ended == count, timeout=300)
        ended: dict[tuple[int, int], int] = {}
        for number in range(count):
            check_run(runs, number, ended)
        assert repeated(provider.noted, ended) == []
        calls = Counter((run, index) for run, index, _ in provider.noted)
        again = sum(each - 1 for each in calls.values())
        print(f"{len(ended)} steps of {count} runs, {again} unfinished calls were repeated")
        assert len(calls) == count * STEPS
        checked = stack.command("ledger", "check", "--json")
        assert checked.returncode == 0, json.loads(checked.stdout)


async def run_with_kills(folder: Path, *, count: int, kills: int, pause: float) -> None:
    provider = NotedCalls(seconds=0.5)
    tools = NotedCalls(
        tool_seconds=0.2, noted=provider.noted
    )  # models have an address of their own
    async with serving_provider(provider), serving_provider(tools):
        options = {"count": count, "kills": kills, "pause": pause}
        await asyncio.to_thread(functools.partial(work, folder, provider, tools, **options))


@pytest.mark.timeout(120)
@pytest.mark.F63
@pytest.mark.F65
async def test_no_step_is_repeated_although_a_worker_was_killed(
    tmp_path: Path,
) -> None:
    await run_with_kills(tmp_path, count=4, kills=1, pause=0.4)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_no_step_of_a_hundred_agents_is_repeated_however_often_parts_are_killed(
    tmp_path: Path,
) -> None:
    await run_with_kills(tmp_path, count=100, kills=20, pause=0.5)
