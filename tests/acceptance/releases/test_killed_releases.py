"""Workers, gateways and Redis killed while a canary, a replay and tests are at work at once."""

import asyncio
import itertools
import json
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.support.acceptance.running_stack import RunningStack, kill_and_await, running
from tests.support.contract.batch_caller import BatchCaller
from tests.support.http.scripted_server import Target, serving
from tests.support.releases.work import ReleaseWork

PARTS = ("worker", "redis", "gateway")
PAUSE_SECONDS = 1.0


def kill_parts(stack: RunningStack, work: ReleaseWork, kills: int) -> None:
    """Kill a part after another while the work goes on."""
    which = random.Random(7)
    for part in itertools.islice(itertools.cycle(PARTS), kills):
        time.sleep(PAUSE_SECONDS)
        assert work.faults == []
        kill_and_await(stack, part, which)


def work_with_kills(folder: Path, target: Target, runs: int, kills: int) -> Counter[str]:
    options = ("--no-demo", "--workers", "2", "--gateways", "1")
    environ = {"HEADRACE_ALLOW_PRIVATE_URLS": "1", "HEADRACE_LEASE_SECONDS": "2"}
    with running(folder, *options, **environ) as stack:
        work = ReleaseWork(BatchCaller(stack, "releaser"), target)
        work.prepare(runs=runs, tests=runs // 2)
        kinds = {"replay": work.replay, "tests": work.test, "canary": work.release}
        threads = [work.repeat(kind, each) for kind, each in kinds.items()]
        try:
            kill_parts(stack, work, kills)
        finally:
            work.is_over.set()
            for thread in threads:
                thread.join()
        assert work.faults == []
        checked = stack.command("ledger", "check", "--json")
        assert checked.returncode == 0, json.loads(checked.stdout)
        return work.rounds


@pytest.mark.F67
async def test_releases_are_right_although_each_part_was_killed(tmp_path: Path) -> None:
    async with serving() as target:
        rounds = await asyncio.to_thread(work_with_kills, tmp_path, target, 20, 3)

    assert rounds.keys() == {"replay", "tests", "canary"}


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_releases_are_right_however_often_parts_are_killed(tmp_path: Path) -> None:
    async with serving() as target:
        rounds = await asyncio.to_thread(work_with_kills, tmp_path, target, 60, 20)

    print("20 kills; rounds that were right:", dict(rounds))
    assert rounds.keys() == {"replay", "tests", "canary"}
