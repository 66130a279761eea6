"""One run of all that may happen to hosts, for the drawing: one event after another under load."""

import asyncio
import time

import pytest

from tests.support.hosts.figures import Figures
from tests.support.hosts.installation import WORKER
from tests.support.hosts.trial import HostsTrial, hosts_trial

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CALLERS = 16
PAUSE_SECONDS, AWAY_SECONDS = 8.0, 10.0
ANSWER_SECONDS = 2.0
"""Of callers: much longer than a run takes."""
SLOTS = {"HEADRACE_WORKER_SLOTS": "4"}
"""Executions that a worker holds at once: so few that their number shows."""


async def test_what_happens_to_hosts_one_after_another(figures: Figures) -> None:
    async with hosts_trial(workers=(), answer_seconds=ANSWER_SECONDS) as trial:
        trial.load.kinds = ("short", "short", "short", "greet", "model")
        await trial.start(WORKER, "w1", **SLOTS)
        began = time.monotonic()

        async def scene() -> None:
            await asyncio.sleep(PAUSE_SECONDS)
            await trial.start(WORKER, "w2", "w3", **SLOTS)
            await asyncio.sleep(PAUSE_SECONDS)
            for name in ("w1", "gw1", "data"):
                await trial.cut(name)
                await asyncio.sleep(AWAY_SECONDS)
                await trial.mend(name)
                await asyncio.sleep(PAUSE_SECONDS)
            await _kill_and_drain(trial)

        await trial.play(CALLERS, scene())
        figures.add("runs checked", len(trial.load.runs))
        ends = (round(run.ended - began, 2) for run in trial.load.runs if run.ended)
        figures.more["ends"] = sorted(ends)
        figures.more["events"] = [(round(at - began, 2), text) for at, text in trial.events]


async def _kill_and_drain(trial: HostsTrial) -> None:
    await trial.kill("w2")
    await asyncio.sleep(PAUSE_SECONDS / 2)
    await trial.start(WORKER, "w2", **SLOTS)
    await asyncio.sleep(PAUSE_SECONDS)
    for name in ("w2", "w3"):
        await trial.drain(name)
    await asyncio.sleep(PAUSE_SECONDS)
