"""Workers killed at each point of a node's life: the run goes on elsewhere within five seconds.

KILLS_PER_POINT: kills at each point, 2 by default.
"""

import os
from dataclasses import dataclass

import pytest

from tests.support.deaths.recovery import LIMIT_SECONDS, Recoveries
from tests.support.deaths.scene import Scene
from tests.support.redis.proxy import When

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
KILLS = int(os.environ.get("KILLS_PER_POINT", "2"))


@dataclass(frozen=True, kw_only=True)
class Point:
    """Call of a script at which a worker is killed, and the calls of the whole run."""

    script: str
    after: When = "before"
    passes: int = 0
    first: int = 1
    make: int = 1
    limit_seconds: float = LIMIT_SECONDS


RESENT_SECONDS = 7.0
"""Bound where no lease tells of the death: a hint is sent again after five seconds."""
CLAIM, ADVANCE = "claim_execution", "advance_execution"
POINTS = [
    pytest.param(
        Point(script=CLAIM, limit_seconds=RESENT_SECONDS), id="hint taken", marks=pytest.mark.F05
    ),
    pytest.param(Point(script=CLAIM, after="run"), id="claimed", marks=pytest.mark.F06),
    pytest.param(Point(script=ADVANCE, after="run"), id="call claimed", marks=pytest.mark.F06),
    pytest.param(
        Point(script=ADVANCE, after="run", passes=1),
        id="call recorded and model claimed",
        marks=[pytest.mark.F06, pytest.mark.F09],
    ),
    pytest.param(
        Point(script=ADVANCE, passes=1, first=2), id="call answered", marks=pytest.mark.F07
    ),
    pytest.param(Point(script="add_asset", make=2), id="model answered", marks=pytest.mark.F08),
    pytest.param(
        Point(script="complete_asset", after="run", make=2),
        id="picture stored",
        marks=pytest.mark.F08,
    ),
    pytest.param(
        Point(script=ADVANCE, passes=2, make=2), id="end not recorded", marks=pytest.mark.F08
    ),
    pytest.param(
        Point(script=ADVANCE, after="run", passes=2), id="end recorded", marks=pytest.mark.F10
    ),
]


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_at_a_point_of_a_run(
    scene: Scene, recoveries: Recoveries, point: Point
) -> None:
    for _ in range(KILLS):
        run = scene.plan()
        gate = scene.proxy.hold(point.script, after=point.after, passes=point.passes)
        scene.request(run)
        recoveries.kill(scene, run, gate.await_reached(), gate.drop)
        scene.end(run)
        scene.restore()

        assert (scene.calls(run, "first"), scene.calls(run, "make")) == (point.first, point.make)
    recoveries.check(point.limit_seconds)
