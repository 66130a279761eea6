"""The smoke: a host with a worker is cut off once, and another worker goes on with its runs."""

import asyncio

import pytest

from tests.support.hosts.takeover import (
    await_ends,
    begin_held,
    calls,
    seconds_until_others,
)
from tests.support.hosts.trial import hosts_trial


@pytest.mark.F80
async def test_another_worker_goes_on_with_the_runs_of_a_host_that_is_cut_off() -> None:
    few = {"gateways": ("gw1",), "workers": ("w1", "w2"), "held_seconds": 2.5}
    async with hosts_trial(is_small=True, **few, HEADRACE_LEASE_SECONDS="1.5") as trial:
        await trial.load.begin()
        runs, lost = await begin_held(trial, "w1")
        cut_at = await trial.cut("w1")
        await seconds_until_others(trial, "w1", lost, cut_at)
        await trial.mend("w1")
        await asyncio.wait_for(await_ends(trial, runs), 60)

        assert set(calls(trial, lost)) <= {2}
        assert await trial.check() == {"held completed": len(runs)}
