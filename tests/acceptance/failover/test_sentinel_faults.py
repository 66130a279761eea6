"""Faults of sentinels, and of a primary that they replace, under load."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.support.failover.isolation import ISOLATED_SECONDS, isolate
from tests.support.failover.trial import Scene, scene_on
from tests.support.redis.sentinel import SentinelGroup, running_group

QUIET_SECONDS = 3.0
DEMOTED_SECONDS = 10.0
"""Time for sentinels to reach a primary that is back, and to make it a replica."""
REFUSED_AFTER_SECONDS = 4.0
"""`min-replicas-max-lag` (2 s), and a second each for its check and for the last ACK."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def assert_nothing_is_lost(scene: Scene) -> None:
    verdict = scene.outcome.verdict
    assert verdict.wrong == []
    assert verdict.unexplained(scene.outcome.kills, 0) == []
    assert verdict.doubled == 0
    assert scene.outcome.unexpected() == set()


def refusals(scene: Scene) -> int:
    """Return the number of answers so far that were none or 503."""
    probed = sum(each.status in (0, 503) for probe in scene.probes for each in probe.answers)
    return probed + sum(each.status in (0, 503) for each in scene.load.answers)


async def test_a_sentinel_that_dies_is_not_noticed(tmp_path: Path) -> None:
    with running_group() as group:
        async with scene_on(group, tmp_path) as scene:
            group.sentinels[0].kill()
            await asyncio.sleep(QUIET_SECONDS)
            assert refusals(scene) == 0
            await scene.kill_and_bring_back(0)  # two are enough to elect a primary

    assert_nothing_is_lost(scene)


async def test_without_sentinels_the_primary_goes_on(tmp_path: Path) -> None:
    with running_group() as group:
        async with scene_on(group, tmp_path) as scene:
            for each in group.sentinels:
                each.kill()
            await asyncio.sleep(QUIET_SECONDS)
            assert refusals(scene) == 0
            for each in group.sentinels:
                await asyncio.to_thread(group.restart, each)
            await scene.kill_and_bring_back(0)

    assert_nothing_is_lost(scene)


async def test_a_primary_that_pauses_comes_back_as_a_replica(tmp_path: Path) -> None:
    with running_group() as group:
        async with scene_on(group, tmp_path) as scene:
            for _ in range(3):
                await scene.pause_and_bring_back(0)

    assert_nothing_is_lost(scene)


async def test_all_servers_restart_with_their_data(tmp_path: Path) -> None:
    with running_group() as group:
        async with scene_on(group, tmp_path) as scene:
            scene.outcome.kills.append(time.monotonic())
            await restart_all(group)
            await scene.await_service(scene.outcome.kills[0], 0)

    assert_nothing_is_lost(scene)


async def restart_all(group: SentinelGroup) -> None:
    for each in (*group.servers, *group.sentinels):
        each.kill()
    for each in (*group.servers, *group.sentinels):
        await asyncio.to_thread(each.start)


@pytest.mark.F24d
@pytest.mark.parametrize("min_replicas", [0, 1])
async def test_a_primary_that_is_cut_off_loses_what_it_accepts_alone(
    min_replicas: int, tmp_path: Path
) -> None:
    """Replicas and sentinels lose sight of the primary, and gateways and workers do not."""
    outcome = await isolate(tmp_path, min_replicas=min_replicas)

    [began], verdict = outcome.kills, outcome.verdict
    window = REFUSED_AFTER_SECONDS if min_replicas else ISOLATED_SECONDS + DEMOTED_SECONDS
    late = [moment - began for moment in verdict.lost if not -0.3 <= moment - began <= window]
    print(f"min-replicas-to-write {min_replicas}: {len(verdict.lost)} of {verdict.accepted} lost")
    assert late == []
    assert verdict.wrong == []
    assert verdict.doubled == 0
