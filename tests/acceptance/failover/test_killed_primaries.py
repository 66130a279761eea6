"""Primaries that are killed under load: service again without a restart, and nothing is lost.

Nothing but what a replica had not received from its primary, and that as whole transitions.
"""

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.failover.figures import HEADER, Plan, measure, row
from tests.support.failover.servers import running_servers
from tests.support.failover.trial import Outcome, scene_on
from tests.support.redis.certificates import make_certificates
from tests.support.redis.cluster import running_cluster
from tests.support.redis.fronts import TlsFront
from tests.support.redis.sentinel import running_group

KILLS = int(os.environ.get("PRIMARY_KILLS", "20"))
LAG_KILLS = 6
LAG_SECONDS = 0.3
AGAIN_SECONDS = 30.0
"""Bound of the time from a kill until runs are answered again."""
Note = Callable[[str, object], None]


def check(plan: Plan, outcome: Outcome) -> None:
    """Check the bars of a trial."""
    print(f"\n{HEADER}\n{row(plan, outcome)}")
    verdict = outcome.verdict
    assert len(outcome.kills) == plan.kills
    assert verdict.wrong == []
    unexplained = verdict.unexplained(outcome.kills, plan.lag)
    assert [seconds_from_a_kill(each, outcome.kills) for each in unexplained] == []
    assert verdict.ended + len(verdict.lost) == verdict.accepted
    assert verdict.doubled == 0
    assert outcome.unexpected() == set()
    assert max(outcome.answered_again) <= AGAIN_SECONDS


def seconds_from_a_kill(moment: float, kills: list[float]) -> float:
    """Return the seconds by which a moment is after the nearest kill; less than 0: before it."""
    nearest = min(kills, key=lambda each: abs(moment - each))
    return round(moment - nearest, 2)


def report(note: Note, plan: Plan, outcome: Outcome) -> None:
    """Note the figures of a trial."""
    verdict, again = outcome.verdict, outcome.answered_again
    lost = len(verdict.unexplained(outcome.kills, plan.lag))
    note("kills", len(outcome.kills))
    note("executions", verdict.accepted)
    note("lost", lost)
    note("lost_by_replica_lag_at_failovers", len(verdict.lost) - lost)
    note("doubled", verdict.doubled)
    note("recovery_p50_seconds", round(statistics.median(again), 2))
    note("recovery_max_seconds", round(max(again), 2))


@pytest.mark.F58
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("min_replicas", [0, 1])
@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
async def test_nothing_accepted_is_lost_when_replicas_keep_up(
    topology: str, min_replicas: int, tmp_path: Path, record_property: Note
) -> None:
    plan = Plan(topology=topology, kills=KILLS, min_replicas=min_replicas)

    outcome = await measure(plan, tmp_path)

    report(record_property, plan, outcome)
    check(plan, outcome)


@pytest.mark.F24d
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("min_replicas", [0, 1])
@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
async def test_replicas_that_are_behind_lose_no_more_than_their_lag(
    topology: str, min_replicas: int, tmp_path: Path, record_property: Note
) -> None:
    plan = Plan(topology=topology, kills=LAG_KILLS, min_replicas=min_replicas, lag=LAG_SECONDS)

    outcome = await measure(plan, tmp_path)

    report(record_property, plan, outcome)
    check(plan, outcome)
    assert outcome.verdict.lost, "the lag was too short to show"


@pytest.mark.slow
@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
async def test_a_killed_primary_is_followed_over_tls(topology: str, tmp_path: Path) -> None:
    """With certificates of clients, and a user of Redis, for sentinels and servers."""
    certificates = make_certificates(tmp_path)

    def front(port: int) -> TlsFront:
        return TlsFront(port, certificates, asks_for_certificate=True, takes_plain=True)

    running: Any = {"sentinel": running_group, "cluster": running_cluster}[topology]
    with running(fronts=front, user="app", password="secret") as servers:
        async with scene_on(servers, tmp_path, certificates=certificates) as scene:
            await scene.kill_and_bring_back(0)

    check(Plan(topology=topology, kills=1), scene.outcome)


@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
async def test_a_killed_primary_is_followed(topology: str, tmp_path: Path) -> None:
    with running_servers(topology) as servers:
        async with scene_on(servers, tmp_path, callers=1, parts=1) as scene:
            primary = servers.primary(0)
            scene.outcome.kills.append(time.monotonic())
            primary.kill()
            await scene.await_service(scene.outcome.kills[0], 0)

    check(Plan(topology=topology, kills=1), scene.outcome)
