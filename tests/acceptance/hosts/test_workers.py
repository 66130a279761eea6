"""Hosts of workers that are added, drained, cut off and killed: no run is lost or doubled."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from tests.support.hosts.figures import REPEATS, Figures
from tests.support.hosts.installation import WORKER
from tests.support.hosts.takeover import (
    await_ends,
    begin_held,
    calls,
    seconds_until_others,
)
from tests.support.hosts.trial import HostsTrial, hosts_trial

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

CALLERS = 6
CUT_SECONDS = 8.0
"""Longer than a held call takes: its answer reaches the host after others went on."""
CALM_SECONDS = 1.5
SLOTS = "4"
"""Executions that a worker of the scaled load holds at once: calls of 0.2 s, 20 a second."""
MEASURED_SECONDS = 6.0


async def play(repeat: Callable[[HostsTrial], Awaitable[None]], figures: Figures) -> None:
    """Repeat a scene under load, and check all runs."""
    async with hosts_trial() as trial:
        await trial.play(CALLERS, trial.repeated(repeat))
        figures.add("runs checked", len(trial.load.runs))


async def test_workers_are_scaled_from_one_to_three_and_back(figures: Figures) -> None:
    async with hosts_trial(workers=(), gateways=("gw1", "gw2")) as trial:
        trial.load.kinds = ("short",)
        await trial.start(WORKER, "w1", HEADRACE_WORKER_SLOTS=SLOTS)

        async def rate() -> float:
            began = asyncio.get_running_loop().time()
            await asyncio.sleep(MEASURED_SECONDS)
            return trial.per_second(began, began + MEASURED_SECONDS)

        async def scene() -> None:
            for _ in range(REPEATS):
                await asyncio.sleep(CALM_SECONDS)
                figures.add("1 worker (runs/s)", await rate())
                began = await trial.start(WORKER, "w2", "w3", HEADRACE_WORKER_SLOTS=SLOTS)
                for name in ("w2", "w3"):
                    address = trial.installed.host(name).address
                    first = await trial.reached(partial(trial.target.first_of, address, began))
                    figures.add("start of a worker to its first call (s)", first - began)
                await asyncio.sleep(CALM_SECONDS)
                figures.add("3 workers (runs/s)", await rate())
                for name in ("w2", "w3"):
                    figures.add("drain (s)", await trial.drain(name))
                await asyncio.sleep(CALM_SECONDS)
                figures.add("1 worker again (runs/s)", await rate())

        await trial.play(20, scene())


@pytest.mark.F80
async def test_a_host_of_a_worker_is_cut_off(figures: Figures) -> None:
    async def repeat(trial: HostsTrial) -> None:
        runs, lost = await begin_held(trial, "w1")
        cut_at = await trial.cut("w1")
        seconds = await seconds_until_others(trial, "w1", lost, cut_at)
        figures.add("first run that another worker goes on with (s)", min(seconds))
        figures.add("last run (s)", max(seconds))
        await asyncio.sleep(max(0.0, CUT_SECONDS - max(seconds)))
        mended_at = await trial.mend("w1")
        address = trial.installed.host("w1").address
        first = await trial.reached(lambda: trial.target.first_of(address, mended_at))
        figures.add("end of the cut to the next call of the host (s)", first - mended_at)
        await await_ends(trial, runs)
        assert set(calls(trial, lost)) == {2}
        assert set(calls(trial, [run for run in runs if run not in lost])) == {1}

    await play(repeat, figures)


@pytest.mark.F80
async def test_a_host_of_a_worker_is_killed_and_comes_back(figures: Figures) -> None:
    async def repeat(trial: HostsTrial) -> None:
        runs, lost = await begin_held(trial, "w1")
        killed_at = await trial.kill("w1")
        seconds = await seconds_until_others(trial, "w1", lost, killed_at)
        figures.add("first run that another worker goes on with (s)", min(seconds))
        figures.add("last run (s)", max(seconds))
        started_at = await trial.start(WORKER, "w1")
        address = trial.installed.host("w1").address
        first = await trial.reached(lambda: trial.target.first_of(address, started_at))
        figures.add("start to the first call of the host (s)", first - started_at)
        await await_ends(trial, runs)

    await play(repeat, figures)


async def test_a_worker_is_drained_under_load(figures: Figures) -> None:
    async def repeat(trial: HostsTrial) -> None:
        runs, held = await begin_held(trial, "w3")
        figures.add("drain with calls of 6 s under way (s)", await trial.drain("w3"))
        await await_ends(trial, runs)
        figures.add("calls under way", len(held))
        figures.add("of these made again", sum(count - 1 for count in calls(trial, held)))
        assert set(calls(trial, runs)) == {1}
        await trial.start(WORKER, "w3")

    await play(repeat, figures)
