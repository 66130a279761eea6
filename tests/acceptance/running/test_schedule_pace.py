"""Pace of a schedule beside another account's many, which have a long time to catch up with."""

import asyncio
from pathlib import Path

import pytest

from engine.store.redis.info import read_now
from engine.triggers.occurrences import OccurrenceStatus
from engine.triggers.trigger import Missed
from tests.support.acceptance.callers import make_caller, save
from tests.support.acceptance.running_stack import running
from tests.support.eventually import eventually
from tests.support.triggers.due_schedules import Owner, owner_of

GREEDY = 100
MISSED_MINUTES = 100
LIGHT = 10


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_schedule_keeps_its_time_beside_another_account_that_catches_up(
    tmp_path: Path,
) -> None:
    with running(tmp_path, "--no-demo", "--workers", "2") as stack:
        async with owner_of(stack) as greedy:
            account_id, key = make_caller(stack, "light")
            light = Owner(greedy.store, account_id, save(stack, key, "Light"))
            now = await read_now(greedy.store.client)
            made = [await light.schedule(now + 5_000 + 1_000 * n) for n in range(LIGHT)]
            many = [
                await greedy.schedule(now - MISSED_MINUTES * 60_000, "* * * * *", Missed.ALL)
                for _ in range(GREEDY)
            ]
            for trigger in made:
                [only] = await eventually(lambda each=trigger: light.occurrences(each), timeout=60)
                assert only.status is OccurrenceStatus.STARTED
            await asyncio.sleep(2)
            late = sorted(await light.check_runs([(await light.occurrences(t))[0] for t in made]))
            begun = [len(await greedy.occurrences(trigger)) for trigger in many]
    print(f"beside {sum(begun)} occurrences of another account: most {late[-1]:.2f} s late")
    assert sum(begun) > 1_000
    assert late[-1] < 5
