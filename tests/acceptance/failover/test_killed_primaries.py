"""Primaries that are killed under load: service again without a restart, and nothing is lost.

Nothing but what a replica had not received from its primary, and that as whole transitions.
"""

import time
from pathlib import Path

import pytest

from tests.support.failover.figures import HEADER, Plan, measure, row
from tests.support.failover.servers import running_servers
from tests.support.failover.trial import Outcome, scene_on

KILLS = 20
LAG_KILLS = 6
LAG_SECONDS = 0.3


def check(plan: Plan, outcome: Outcome) -> None:
    """Check the bars of a trial."""
    print(f"\n{HEADER}\n{row(plan, outcome)}")
    verdict = outcome.verdict
    assert len(outcome.kills) == plan.kills
    assert verdict.wrong == []
    assert verdict.unexplained(outcome.kills, plan.lag) == []
    assert verdict.ended + len(verdict.lost) == verdict.accepted
    assert verdict.doubled == 0
    assert {name.split()[0] for name in outcome.statuses} <= {"200", "202", "404", "409", "503"}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("min_replicas", [0, 1])
@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
async def test_nothing_accepted_is_lost_when_replicas_keep_up(
    topology: str, min_replicas: int, tmp_path: Path
) -> None:
    plan = Plan(topology=topology, kills=KILLS, min_replicas=min_replicas)

    outcome = await measure(plan, tmp_path)

    check(plan, outcome)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("min_replicas", [0, 1])
@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
async def test_replicas_that_are_behind_lose_no_more_than_their_lag(
    topology: str, min_replicas: int, tmp_path: Path
) -> None:
    plan = Plan(topology=topology, kills=LAG_KILLS, min_replicas=min_replicas, lag=LAG_SECONDS)

    outcome = await measure(plan, tmp_path)

    check(plan, outcome)
    assert outcome.verdict.lost, "the lag was too short to show"


@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
async def test_a_killed_primary_is_followed(topology: str, tmp_path: Path) -> None:
    with running_servers(topology) as servers:
        async with scene_on(servers, tmp_path, callers=1, parts=1) as scene:
            primary = servers.primary(0)
            scene.outcome.kills.append(time.monotonic())
            primary.kill()
            await scene.await_service(scene.outcome.kills[0], 0)

    check(Plan(topology=topology, kills=1), scene.outcome)
