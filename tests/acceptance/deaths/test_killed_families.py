"""Workers killed at every script on the way of a parent and its children.

The scripts are those that a run without a fault calls, so that a new one is tried too.
KILLS_PER_POINT: kills at each script, before and after Redis has run it; 1 by default.
"""

import os
from collections.abc import Callable

import pytest

from engine.store.redis.scripts import SCRIPTS
from tests.support.deaths.family import Families, FamilyRun, open_families
from tests.support.deaths.scene import Scene
from tests.support.redis.proxy import Gate, When

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_800), pytest.mark.F55]
KILLS = int(os.environ.get("KILLS_PER_POINT", "1"))
BESIDE = {
    *("accept_execution", "authorize_key", "beat_gateway"),
    *("beat_worker", "list_dead_workers", "promote_due", "put_sample", "put_snapshot", "take_lead"),
}
"""Scripts of gateways, and of workers whatever runs."""
LEAST = {"open_children", "begin_children", "feed_children", "advance_execution"}
"""Scripts that are on the way for certain."""
PASSES = {"advance_execution": (0, 3, 6, 9, 12), "claim_execution": (0, 2, 4)}
"""Calls of a run that go on before the one at which a worker dies: of the parent or of a child."""
REACHED_SECONDS = 10.0


@pytest.fixture(scope="module")
def families(scene: Scene) -> Families:
    return open_families(scene)


@pytest.fixture(scope="module")
def scripts(scene: Scene, families: Families) -> list[str]:
    """Scripts of workers on the way of a run without a fault."""
    families.check(families.begin(), 0)  # what is read once is read
    scene.proxy.seen.clear()
    families.check(families.begin(), 0)
    names = {script.name for script in SCRIPTS.values()}
    return sorted((scene.proxy.seen & names) - BESIDE)


def was_reached(gate: Gate, families: Families, run: FamilyRun) -> bool:
    """Wait for the gate; return whether the run came there before its end."""
    try:
        gate.await_reached(REACHED_SECONDS)
    except TimeoutError:
        assert families.end(run)["status"] == "completed"
        return False
    return True


def kill_at(scene: Scene, families: Families, script: str, after: When, passes: int) -> int:
    """Run, and kill the worker that calls the script; return the number of kills, 0 or 1."""
    gate = scene.proxy.hold(script, after=after, passes=passes)
    run = families.begin()
    killed = was_reached(gate, families, run)
    if killed:
        scene.kill(gate.pid)
        gate.drop()
    scene.proxy.loop.call_soon_threadsafe(scene.proxy.forget)
    families.check(run, int(killed))
    scene.restore()
    return int(killed)


@pytest.mark.parametrize("after", ["before", "run"])
def test_a_worker_killed_at_each_script(
    scene: Scene,
    families: Families,
    scripts: list[str],
    after: When,
    record_property: Callable[[str, object], None],
) -> None:
    tried = [(name, each) for name in scripts for each in PASSES.get(name, (0,))] * KILLS
    kills = sum(kill_at(scene, families, name, after, passes) for name, passes in tried)
    families.check_books()

    print(f"{kills} of {len(tried)} at {scripts}")
    assert set(scripts) >= LEAST
    assert kills >= 0.8 * len(tried)
    record_property("kills", kills)
    record_property("executions", 5 * len(families.runs))


def test_the_reply_of_each_script_is_lost(
    scene: Scene, families: Families, scripts: list[str]
) -> None:
    for script in scripts:
        scene.proxy.lose(script, after="run")
        run = families.begin()
        families.end(run)
        scene.proxy.loop.call_soon_threadsafe(scene.proxy.forget)
        families.check(run, 1)
    families.check_books()
