"""Workers, Redis and gateways killed in a replay: each run has one new execution."""

import asyncio
import itertools
import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.faults.test_killed_batches import PARTS, call_and_model, kill_and_await
from tests.support.acceptance.running_stack import RunningStack, running, until
from tests.support.contract.replay_caller import ReplayCaller
from tests.support.http.scripted_server import serving

CONCURRENCY = 4
BEFORE_KILL = 2
"""Executions that end between two kills."""


async def replay_with_kills(folder: Path, *, runs: int, most_kills: int) -> int:
    """Kill parts until a replay with live calls is over, and check it; return the kills."""
    options = ("--no-demo", "--workers", "2", "--gateways", "1")
    environ = {"HEADRACE_ALLOW_PRIVATE_URLS": "1", "HEADRACE_LEASE_SECONDS": "2"}
    async with serving() as target:

        def work() -> int:
            with running(folder, *options, **environ) as stack:
                caller = ReplayCaller(stack, "replayer")
                slug = caller.save("Call", call_and_model(target.url))
                caller.runs(slug, runs)
                replay_id = caller.replay(slug, runs, 1, "live")
                kills = kill_parts(stack, caller, replay_id, most_kills)
                check(caller, slug, caller.end_replay(replay_id, seconds=300), runs)
                checked = stack.command("ledger", "check", "--json")
                assert checked.returncode == 0, json.loads(checked.stdout)
                return kills

        return await asyncio.to_thread(work)


def kill_parts(stack: RunningStack, caller: ReplayCaller, replay_id: str, most: int) -> int:
    """Kill one part after the other while the replay goes on; return the number of kills."""
    which = random.Random(11)
    for kills, part in enumerate(itertools.islice(itertools.cycle(PARTS), most)):
        least = caller.progress(replay_id)["completed"] + BEFORE_KILL
        found = until(
            lambda: caller.progress(replay_id),
            lambda now, least=least: now["completed"] >= least or not now["queued"],
        )
        assert found["processing"] <= CONCURRENCY
        if not found["queued"]:
            return kills
        kill_and_await(stack, part, which)
    return most


def check(caller: ReplayCaller, slug: str, ended: Mapping[str, Any], runs: int) -> None:
    """Check that each run has one new execution, and that verdict and credits are of these."""
    executions = caller.executions_of(slug)
    ids = {each["executionId"] for each in executions}
    assert len(ids) == len(executions) == runs
    assert {row["replayExecutionId"] for row in ended["rows"]} == ids
    assert ended["creditsCost"] == sum(each["creditsCost"] for each in executions)
    assert (ended["status"], ended["counts"]["same"]) == ("completed", runs)


@pytest.mark.F67
@pytest.mark.thorough
async def test_each_run_is_replayed_once_although_a_worker_was_killed(tmp_path: Path) -> None:
    assert await replay_with_kills(tmp_path, runs=12, most_kills=1) == 1


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_each_run_is_replayed_once_however_often_parts_are_killed(tmp_path: Path) -> None:
    kills = await replay_with_kills(tmp_path, runs=200, most_kills=30)

    print(f"{kills} kills in a replay of 200 runs")
    assert kills >= 8
