"""Hosts of gateways that callers, or that Redis, can no longer reach."""

import asyncio

import pytest

from tests.support.hosts.figures import Figures
from tests.support.hosts.probes import summarize
from tests.support.hosts.trial import HostsTrial, hosts_trial

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

CALLERS = 6
BEFORE_SECONDS, CUT_SECONDS = 5.0, 12.0
HALF_OPEN_SECONDS = 30.0
RETRIES = "net.ipv4.tcp_retries2"
COUNT = 12


@pytest.mark.F80
async def test_a_host_of_a_gateway_is_cut_off(figures: Figures) -> None:
    async def repeat(trial: HostsTrial) -> None:
        url = trial.part("gw2").url
        before = await trial.load.time_runs(url, BEFORE_SECONDS)
        accept = (trial.load.accept("held", trial.part("gw1").url) for _ in range(COUNT))
        runs = await asyncio.gather(*accept)
        cut_at = await trial.cut("gw1")
        *ends, during = await asyncio.gather(
            *(trial.load.end_at(run, url) for run in runs),
            trial.load.time_runs(url, CUT_SECONDS),
        )
        assert ends == ["completed"] * COUNT
        figures.add_spread("runs at the other gateway before", "ms", [1000 * t for t in before])
        figures.add_spread("runs at the other gateway meanwhile", "ms", [1000 * t for t in during])
        longest = max(run.ended for run in runs) - cut_at
        figures.add("end of the runs of 6 s that it had accepted (s)", longest)
        mended_at = await trial.mend("gw1")
        attempts = await trial.probe(trial.part("gw1"))
        figures.add("accepts again (s)", attempts[-1].answered - mended_at)

    async with hosts_trial() as trial:
        await trial.play(CALLERS, trial.repeated(repeat))
        figures.add("runs checked", len(trial.load.runs))


@pytest.mark.parametrize("retries", ["15", "4"], ids=["15 retransmissions", "4 retransmissions"])
@pytest.mark.F80
async def test_a_gateway_and_a_worker_lose_their_connections_to_redis(
    figures: Figures, retries: str
) -> None:
    """With few retransmissions the system gives the connections up before the end of the cut."""

    async def repeat(trial: HostsTrial) -> None:
        names = ("gw1", "w1")
        for name in names:
            trial.installed.host(name).set_kernel(RETRIES, retries)
            cut_at = await trial.cut(name, "data")
        probe = asyncio.create_task(trial.probe(trial.part("gw1")))
        await asyncio.sleep(HALF_OPEN_SECONDS)
        for name in names:
            mended_at = await trial.mend(name, "data")
        attempts = await probe
        found = summarize(attempts, cut_at, mended_at)
        figures.add("the gateway answers 503 after the cut (s)", found.refused)
        figures.add("longest answer while it is cut off (s)", found.longest)
        figures.add("the gateway accepts again (s)", found.accepted)
        address = trial.installed.host("w1").address
        called = await trial.reached(lambda: trial.target.first_of(address, mended_at))
        figures.add("the worker makes a call again (s)", called - mended_at)
        assert found.statuses <= {503}
        assert max(found.accepted, called - mended_at) < 15

    async with hosts_trial() as trial:
        await trial.play(CALLERS, trial.repeated(repeat))
        figures.add("runs checked", len(trial.load.runs))
