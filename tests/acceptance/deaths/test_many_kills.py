"""Many workers killed within calls of a provider: all runs go on, and how soon.

KILLS: number of kills, 3 by default.
"""

import os
import random

import pytest

from tests.support.deaths.recovery import LIMIT_SECONDS, Recoveries, kill_within_call
from tests.support.deaths.scene import Scene

KILLS = int(os.environ.get("KILLS", "3"))


@pytest.mark.F07
@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_workers_killed_within_calls(scene: Scene, recoveries: Recoveries) -> None:
    which = random.Random(7)
    for _ in range(KILLS):
        run = scene.plan()
        kind = which.choice(["first", "make"])
        kill_within_call(scene, recoveries, run, kind)

        assert (scene.calls(run, "first"), scene.calls(run, "make")) == (
            (2, 1) if kind == "first" else (1, 2)
        )
    assert recoveries.percentile(99) <= LIMIT_SECONDS
