"""The previous release beside this one on one Redis: no run is lost, doubled, or failed for it."""

import asyncio
from pathlib import Path

import pytest

from tests.support.acceptance.versions.releases import THIS_RELEASE, Release
from tests.support.acceptance.versions.trial import (
    GATEWAY,
    WORKER,
    VersionTrial,
    mixed,
    version_trial,
)

KINDS = {"greet", "call", "retry", "delay", "list", "compute", "author", "draft"}
EVERY_END = {f"{kind} completed" for kind in KINDS} | {"fail failed"}


@pytest.mark.F26
@pytest.mark.F59
async def test_runs_end_once_at_both_releases(previous: Release, tmp_path: Path) -> None:
    """The smoke: a part of each kind and release; both workers and a gateway are killed once."""

    async def harm(trial: VersionTrial) -> None:
        *others, last = trial.fleet.members
        for member in (last, *others[1:]):
            await asyncio.sleep(1)
            await trial.kill_one([member])

    async with version_trial(tmp_path, previous) as trial:
        await trial.start(*mixed(previous, THIS_RELEASE))
        ends = await trial.play(3, harm(trial))

    assert set(ends) >= EVERY_END


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("is_forward", [True, False], ids=["this-joins", "previous-joins"])
@pytest.mark.F26
@pytest.mark.F59
async def test_a_release_is_rolled_out_and_back_under_kills(
    previous: Release, tmp_path: Path, is_forward: bool
) -> None:
    first, second = (previous, THIS_RELEASE) if is_forward else (THIS_RELEASE, previous)

    async def harm(trial: VersionTrial) -> None:
        for release in (second, first):
            await trial.roll(release, pause=1.5, kills=2)
        await asyncio.sleep(2)

    async with version_trial(tmp_path, previous, has_history=True) as trial:
        await trial.start(*[(first, kind) for kind in (GATEWAY, WORKER)] * 2)
        ends = await trial.play(8, harm(trial))
        kills = trial.fleet.kills

    assert set(ends) >= EVERY_END
    print(kills, "kills,", trial.fleet.stops, "stops,", ends.total(), "runs", dict(ends))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("is_gateway_new", [True, False], ids=["this-gateway", "previous-gateway"])
@pytest.mark.F59
async def test_gateways_and_workers_of_different_releases_alone(
    previous: Release, tmp_path: Path, is_gateway_new: bool
) -> None:
    gateways, workers = (THIS_RELEASE, previous) if is_gateway_new else (previous, THIS_RELEASE)

    async def harm(trial: VersionTrial) -> None:
        for _ in range(6):
            await asyncio.sleep(2)
            await trial.kill_one()

    async with version_trial(tmp_path, previous) as trial:
        await trial.start(
            (gateways, GATEWAY), (gateways, GATEWAY), (workers, WORKER), (workers, WORKER)
        )
        ends = await trial.play(8, harm(trial))

    assert set(ends) >= EVERY_END
    print(ends.total(), "runs", dict(ends))
