"""Hosts of servers that nobody reaches for a while: processes go on by themselves afterwards."""

import asyncio
import time

import pytest

from deploy.net.http_client import call
from tests.support.hosts.figures import Figures
from tests.support.hosts.probes import summarize
from tests.support.hosts.trial import GATEWAYS, HostsTrial, hosts_trial

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

CALLERS = 6
AWAY_SECONDS = 20.0
STORE_AWAY_SECONDS = 40.0
"""Longer than the media store is waited for."""
LARGE = 4
"""Runs with large outputs that begin while the media store is away."""


def pids(trial: HostsTrial) -> dict[str, int]:
    """Return the process of each part that runs."""
    return {
        name: part.process.pid
        for name, part in trial.installed.parts.items()
        if part.process is not None and part.is_alive
    }


def is_degraded(trial: HostsTrial, name: str, reason: str) -> bool:
    """Return whether a gateway names a reason for which it does not serve as it should."""
    status, answer = call("GET", f"{trial.part(name).url}/readyz")
    return status == 200 and reason in answer.get("degraded", [])


async def seconds_until_degraded(trial: HostsTrial, since: float, *, is_so: bool) -> float:
    """Return the seconds from a moment until both gateways name the history, or do not."""

    def look() -> float | None:
        found = {is_degraded(trial, name, "history") for name in GATEWAYS}
        return time.monotonic() if found == {is_so} else None

    return await trial.reached(look) - since


@pytest.mark.parametrize("seconds", [10, 60], ids="{} s".format)
@pytest.mark.F80
async def test_the_host_of_all_servers_is_cut_off(figures: Figures, seconds: int) -> None:
    async def repeat(trial: HostsTrial) -> None:
        before, cut_at = pids(trial), await trial.cut("data")
        probes = [asyncio.create_task(trial.probe(trial.part(name))) for name in GATEWAYS]
        await asyncio.sleep(seconds)
        mended_at = await trial.mend("data")
        ended = await trial.reached(lambda: trial.ended_after(mended_at))
        found = [summarize(await probe, cut_at, mended_at) for probe in probes]
        figures.add("gateways answer 503 after the cut (s)", *(each.refused for each in found))
        figures.add("longest answer meanwhile (s)", *(each.longest for each in found))
        figures.add("gateways accept again (s)", *(each.accepted for each in found))
        figures.add("first end of a run (s)", ended - mended_at)
        for name in ("w1", "w2", "w3"):
            address = trial.installed.host(name).address
            called = await trial.reached(
                lambda address=address: trial.target.first_of(address, mended_at)
            )
            figures.add("workers make a call again (s)", called - mended_at)
        assert all(each.statuses == {503} for each in found), found
        assert pids(trial) == before, "a process has ended"

    async with hosts_trial() as trial:
        await trial.play(CALLERS, trial.repeated(repeat))
        figures.add("runs checked", len(trial.load.runs))


@pytest.mark.F80
async def test_the_host_of_postgresql_is_cut_off(figures: Figures) -> None:
    async def repeat(trial: HostsTrial) -> None:
        url = trial.part("gw1").url
        before = await trial.load.time_runs(url, AWAY_SECONDS / 4)
        cut_at = await trial.cut("database")
        told, during = await asyncio.gather(
            seconds_until_degraded(trial, cut_at, is_so=True),
            trial.load.time_runs(url, AWAY_SECONDS),
        )
        mended_at = await trial.mend("database")
        count = sum(0 < run.ended < mended_at for run in trial.load.runs)
        figures.add_spread("runs before", "ms", [1000 * t for t in before])
        figures.add_spread("runs meanwhile", "ms", [1000 * t for t in during])
        figures.add("`/readyz` names the history (s)", told)
        seconds = await seconds_until_degraded(trial, mended_at, is_so=False)
        figures.add("`/readyz` names it no more (s)", seconds)
        while await asyncio.to_thread(trial.installed.archived) < count:
            await asyncio.sleep(0.1)
        figures.add("all is archived (s)", time.monotonic() - mended_at)

    async with hosts_trial(alone=("database",)) as trial:
        await trial.play(CALLERS, trial.repeated(repeat))
        figures.add("runs checked", len(trial.load.runs))


async def test_the_host_of_s3_is_cut_off(figures: Figures) -> None:
    async def refused(trial: HostsTrial, url: str) -> float:
        """Return the seconds until a run with large inputs is refused."""
        run, began = trial.load.new_run("heavy"), time.monotonic()
        assert await trial.load.try_to_accept(run, url) == 503
        seconds = time.monotonic() - began
        while await trial.load.try_to_accept(run, url) != 202:
            await asyncio.sleep(1)
        await trial.load.await_end(run)
        return seconds

    async def repeat(trial: HostsTrial) -> None:
        url = trial.part("gw1").url
        before = await trial.load.time_runs(url, AWAY_SECONDS / 4)
        await trial.cut("s3")
        runs = [await trial.load.accept("large", url) for _ in range(LARGE)]
        refusal = asyncio.create_task(refused(trial, url))
        during = await trial.load.time_runs(url, STORE_AWAY_SECONDS)
        mended_at = await trial.mend("s3")
        run = await trial.load.accept("large", url)
        figures.add("refusal of large inputs (s)", await refusal)
        figures.add_spread("small runs before", "ms", [1000 * t for t in before])
        figures.add_spread("small runs meanwhile", "ms", [1000 * t for t in during])
        ends = [await trial.load.end_at(each, url) for each in runs]
        figures.add("runs with large outputs that failed, of 4 each time", ends.count("failed"))
        assert await trial.load.end_at(run, url) == "completed"
        figures.add("a run with large outputs completes again (s)", run.ended - mended_at)

    async with hosts_trial(alone=("s3",)) as trial:
        await trial.play(CALLERS, trial.repeated(repeat))
        figures.add("runs checked", len(trial.load.runs))


@pytest.mark.F80
async def test_a_worker_reaches_redis_and_not_s3(figures: Figures) -> None:
    async def repeat(trial: HostsTrial) -> None:
        url, address = trial.part("gw1").url, trial.installed.host("w1").address
        await trial.cut("w1", "s3")
        during = await trial.load.time_runs(url, 2)
        runs = await asyncio.gather(*(trial.load.accept("large", url) for _ in range(6 * LARGE)))
        during += await trial.load.time_runs(url, STORE_AWAY_SECONDS)
        mended_at = await trial.mend("w1", "s3")
        ends = {run.name: await trial.load.end_at(run, url) for run in runs}
        own = [run for run in runs if calls_at(trial, run.name, address)]
        figures.add_spread("small runs meanwhile", "ms", [1000 * t for t in during])
        figures.add("runs with large outputs at this worker", len(own))
        figures.add("of these failed", sum(ends[run.name] == "failed" for run in own))
        others = [run for run in runs if run not in own]
        figures.add("runs at the other workers", len(others))
        figures.add("of those failed", sum(ends[run.name] == "failed" for run in others))
        figures.add("last end after the cut (s)", max(run.ended for run in runs) - mended_at)

    async with hosts_trial(alone=("s3",)) as trial:
        await trial.play(CALLERS, trial.repeated(repeat))
        figures.add("runs checked", len(trial.load.runs))


def calls_at(trial: HostsTrial, name: str, address: str) -> bool:
    """Return whether the call of a run was made by a host."""
    path = f"/{name}?n=7"
    return any(each.path.endswith(path) and each.address == address for each in trial.target.made)
