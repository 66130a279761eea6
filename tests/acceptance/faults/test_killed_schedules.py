"""The leading worker killed again and again, and all processes stopped, while schedules are due.

Each due time has one occurrence, and each that started has one run.
"""

import asyncio
import itertools
import os
import signal
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from engine.store import Store
from engine.store.redis import process_keys
from engine.store.redis.info import read_now
from engine.triggers.occurrences import Occurrence, OccurrenceStatus
from engine.triggers.trigger import Missed, Trigger
from tests.support.acceptance.running_stack import running
from tests.support.eventually import eventually
from tests.support.triggers.due_schedules import NEVER, Owner, owner_of

OPTIONS = ("--no-demo", "--workers", "2", "--gateways", "1")
ENVIRON = {"HEADRACE_LEASE_SECONDS": "2"}
BETWEEN_KILLS = 2.5
STEADY_SECONDS = 6.0
"""With two workers, one that is killed has lived for ten seconds: it is started again at once."""
SCHEDULES_OF_KILL = 3
STOPPED_SECONDS = 75.0


async def kill_lead(store: Store) -> None:
    """Kill the process of the worker that leads, once one does."""

    async def lead() -> bytes | None:
        found: bytes | None = await store.client.send("GET", process_keys.leader())
        return found

    name = await eventually(lead, timeout=30)
    assert name is not None
    with suppress(ProcessLookupError):
        os.kill(int(name.decode().split("-")[-2]), signal.SIGKILL)


async def start_with_kills(folder: Path, kills: int, between: float) -> list[float]:
    """Return the lateness of each run of schedules that were due while leads were killed."""
    with running(folder, *OPTIONS, **ENVIRON) as stack:
        async with owner_of(stack) as owner:
            first = await read_now(owner.store.client) + 1_000
            count = kills * SCHEDULES_OF_KILL
            step = round(1_000 * between / SCHEDULES_OF_KILL)
            made = [await owner.schedule(first + step * number) for number in range(count)]
            for _ in range(kills):
                await asyncio.sleep(between)
                await kill_lead(owner.store)
            started = [await _only(owner, trigger) for trigger in made]
            await asyncio.sleep(1)
            assert [each.status for each in started] == [OccurrenceStatus.STARTED] * count
            return await owner.check_runs(started)


async def _only(owner: Owner, trigger: Trigger) -> Occurrence:
    [only] = await eventually(lambda: owner.occurrences(trigger), timeout=60)
    return only


@pytest.mark.F56
async def test_each_due_time_starts_one_run_although_the_lead_was_killed(tmp_path: Path) -> None:
    late = await start_with_kills(tmp_path, 3, BETWEEN_KILLS)

    assert len(late) == 9


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.F56
async def test_each_due_time_starts_one_run_however_often_the_lead_is_killed(
    tmp_path: Path,
) -> None:
    late = sorted(await start_with_kills(tmp_path, 30, STEADY_SECONDS))

    print(
        f"{len(late)} due times, 30 leads killed: p50 {late[len(late) // 2]:.2f} s late, ", end=""
    )
    print(f"most {late[-1]:.2f} s")


async def stop_over_due_times(folder: Path) -> Mapping[Missed, Counter[str]]:
    """Return the outcomes of due times by policy, all but the last missed while all was stopped."""
    with running(folder, *OPTIONS, **ENVIRON) as stack:
        async with owner_of(stack) as owner:
            at = await read_now(owner.store.client) + 6_000
            made = {
                policy: [await owner.schedule(at, cron, policy) for cron in ("* * * * *", NEVER)]
                for policy in Missed
            }
            names = owner.account_id, owner.slug
        stack.clear()
    await asyncio.sleep(STOPPED_SECONDS)
    with running(folder, *OPTIONS, **ENVIRON) as stack:
        async with owner_of(stack, *names) as owner:
            for trigger in itertools.chain(*made.values()):
                await eventually(partial(owner.occurrences, trigger), timeout=60)
            await asyncio.sleep(2)
            found = {
                policy: [each for trigger in of for each in await owner.occurrences(trigger)]
                for policy, of in made.items()
            }
            everything = list(itertools.chain(*found.values()))
            assert len({(each.trigger_id, each.at) for each in everything}) == len(everything)
            started = [each for each in everything if each.status is OccurrenceStatus.STARTED]
            await owner.check_runs(started)
            return {
                policy: Counter(each.status.value for each in of if each.at == at)
                for policy, of in found.items()
            }


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.F56
async def test_due_times_over_which_everything_was_stopped_follow_their_policy(
    tmp_path: Path,
) -> None:
    found = await stop_over_due_times(tmp_path)

    assert found == {
        Missed.SKIP: {"missed": 2},
        Missed.LAST: {"missed": 1, "started": 1},  # each minute a later one starts, once this one
        Missed.ALL: {"started": 2},
    }
