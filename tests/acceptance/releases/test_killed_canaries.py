"""The leading worker killed again and again between the runs of a canary and its roll back.

Each canary is taken back once, its webhook is told once, and the counts are those of the records.
"""

import asyncio
import json
import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from engine.store import Store
from engine.store.redis import process_keys
from engine.webhooks.events import CANARY_ROLLED_BACK
from tests.support.acceptance.running_stack import running
from tests.support.eventually import eventually
from tests.support.releases.stack_canaries import StackCanaries, canaries_of

OPTIONS = ("--no-demo", "--workers", "2", "--gateways", "1")
ENVIRON = {"HEADRACE_LEASE_SECONDS": "2"}
RUNS = 16
"""Runs of a round: of these, by chance, three or more are the canary's."""
LATEST_KILL = 0.4
"""Seconds after the runs within which a lead that was not stopped is killed."""


async def pid_of_lead(store: Store) -> int:
    """Return the process of the worker that leads, once one does."""

    async def lead() -> bytes | None:
        found: bytes | None = await store.client.send("GET", process_keys.leader())
        return found

    name = await eventually(lead, timeout=30)
    assert name is not None
    return int(name.decode().split("-")[-2])


def send_signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


async def kill_before_roll_back(canaries: StackCanaries, canary_id: str) -> bool:
    """Stop the lead, let runs of the canary end, and kill it; return whether it was still there.

    The stopped lead decides on nothing, so these runs are counted and no roll back has followed.
    """
    lead = await pid_of_lead(canaries.store)
    send_signal(lead, signal.SIGSTOP)
    try:
        await asyncio.to_thread(lambda: [canaries.start() for _ in range(RUNS)])

        async def runs() -> int:
            counts = (await canaries.counts()).get(canary_id)
            return 0 if counts is None else counts.canary.runs

        await eventually(runs, lambda count: count >= 3, timeout=30)
        return await canaries.is_living(canary_id)
    finally:
        send_signal(lead, signal.SIGKILL)


async def kill_about_roll_back(canaries: StackCanaries, which: random.Random) -> None:
    """Kill the lead about the moment at which it takes the canary back."""
    lead = await pid_of_lead(canaries.store)
    await asyncio.to_thread(lambda: [canaries.start() for _ in range(RUNS)])
    await asyncio.sleep(which.uniform(0, LATEST_KILL))
    send_signal(lead, signal.SIGKILL)


async def end_round(canaries: StackCanaries, canary_id: str) -> float:
    """Return the seconds until the canary was taken back; further runs follow where it got few."""
    began = time.monotonic()

    async def is_over() -> bool:
        if not await canaries.is_living(canary_id):
            return True
        await asyncio.to_thread(canaries.start)
        return False

    await eventually(is_over, timeout=60)
    return time.monotonic() - began


async def roll_back_with_kills(folder: Path, kills: int, pause: float) -> tuple[int, list[float]]:
    """Return the kills that came for certain between count and roll back, and the times of all."""
    which, certain, times = random.Random(62), 0, []
    with running(folder, *OPTIONS, **ENVIRON) as stack:
        async with canaries_of(stack) as canaries:
            preset = ("--account", canaries.account_id, "--preset", "Run with webhooks", "--json")
            key_id = json.loads(stack.command("key", "create", *preset).stdout)["id"]
            words = (key_id, "--url", "https://hook.invalid", "--event", CANARY_ROLLED_BACK)
            assert stack.command("key", "webhook", *words).returncode == 0
            ids = []
            for number in range(kills):
                ids.append(await canaries.begin())
                if number % 2:
                    await kill_about_roll_back(canaries, which)
                else:
                    certain += await kill_before_roll_back(canaries, ids[-1])
                times.append(await end_round(canaries, ids[-1]))
                await asyncio.sleep(pause)
            await canaries.check_counts()
            assert await canaries.roll_backs() == dict.fromkeys(ids, 1)
            rows, _ = await canaries.store.deliveries.list(canaries.account_id, key_id, limit=500)
            assert [each.event for each in rows] == [CANARY_ROLLED_BACK] * kills
    return certain, times


async def test_a_canary_is_taken_back_once_although_the_lead_was_killed(tmp_path: Path) -> None:
    certain, times = await roll_back_with_kills(tmp_path, 2, 0.0)

    assert certain == 1
    assert len(times) == 2


@pytest.mark.F62
@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_each_canary_is_taken_back_once_however_often_the_lead_is_killed(
    tmp_path: Path,
) -> None:
    certain, times = await roll_back_with_kills(tmp_path, 50, 6.0)

    print(f"50 leads killed, {certain} for certain between count and roll back: ", end="")
    print(f"p50 {sorted(times)[25]:.2f} s, most {max(times):.2f} s until the roll back")
