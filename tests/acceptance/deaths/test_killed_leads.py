"""The leading worker killed while it gives back the execution of another dead worker.

KILLS_PER_POINT: kills at each point, 2 by default. AWAY_SECONDS: time without any worker, 10 by
default.
"""

import os
import time

import pytest
from redis import Redis

from engine.store.redis import process_keys
from tests.support.acceptance.running_stack import until
from tests.support.deaths.recovery import LIMIT_SECONDS, Recoveries, next_call
from tests.support.deaths.scene import WORKER, Run, Scene
from tests.support.redis.proxy import When

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.F13]
KILLS = int(os.environ.get("KILLS_PER_POINT", "2"))
AWAY_SECONDS = float(os.environ.get("AWAY_SECONDS", "10"))
TWICE = 2 * LIMIT_SECONDS
"""Bound of the time until a run goes on whose worker and whose rescuer died."""


def hold_call(scene: Scene) -> tuple[Run, int]:
    """Begin a run, whose provider does not answer; return it with the worker that waits."""
    run = scene.plan()
    held = scene.target.hold(f"/make/{run.name}")
    scene.request(run)
    return run, scene.caller_at(held.await_reached())


@pytest.mark.parametrize("after", ["before", "run"])
def test_a_lead_killed_about_giving_back(scene: Scene, recoveries: Recoveries, after: When) -> None:
    for _ in range(KILLS):
        run, pid = hold_call(scene)
        gate = scene.proxy.hold("release_execution", after=after)
        scene.kill(pid)
        run.deaths += 1
        recoveries.kill(scene, run, gate.await_reached(), gate.drop)
        found = scene.end(run)
        scene.restore()

        # The lead held nothing of the run: one attempt was lost.
        assert (scene.calls(run, "make"), scene.attempts(found, "make")) == (2, 2)
    recoveries.check(TWICE)


def test_two_leads_that_give_back_one_execution(scene: Scene, recoveries: Recoveries) -> None:
    for _ in range(KILLS):
        run, pid = hold_call(scene)
        gate = scene.proxy.hold("release_execution")
        killed = scene.kill(pid)
        run.deaths += 1
        first = gate.await_reached()
        with Redis.from_url(scene.redis_url) as redis:  # as if its lead had lapsed meanwhile
            redis.delete(process_keys.leader())
            until(lambda first=first, redis=redis: _lead(redis) not in (0, first))
        recoveries.seconds.append(next_call(scene, run, killed) - killed)
        gate.open()
        found = scene.end(run)
        scene.restore()

        assert (scene.calls(run, "make"), scene.attempts(found, "make")) == (2, 2)
    recoveries.check(TWICE)


def test_a_run_goes_on_when_workers_are_back(scene: Scene, recoveries: Recoveries) -> None:
    run, _ = hold_call(scene)
    for member in scene.living(WORKER):
        scene.kill(member.process.pid)
    run.deaths += 1
    time.sleep(AWAY_SECONDS)
    scene.restore()
    ready = time.monotonic()
    recoveries.seconds.append(next_call(scene, run, ready - AWAY_SECONDS) - ready)
    scene.end(run)

    assert scene.calls(run, "make") == 2
    recoveries.check()


def _lead(redis: Redis) -> int:
    """Return the process of the leading worker, 0 for none."""
    found = redis.get(process_keys.leader())
    return int(found.decode().split("-")[-2]) if isinstance(found, bytes) else 0
