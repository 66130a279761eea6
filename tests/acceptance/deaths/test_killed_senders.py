"""Senders of hints and of webhooks killed before and after they have sent.

KILLS_PER_POINT: kills at each point, 2 by default.
"""

import os

import pytest

from tests.support.deaths.recovery import Recoveries
from tests.support.deaths.scene import Scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
KILLS = int(os.environ.get("KILLS_PER_POINT", "2"))
RESENT_SECONDS = 7.0
"""Bound of the time until a hint that was lost is sent again."""
LEASE_SECONDS = 20.0
"""Lease of an attempt at a delivery."""


@pytest.mark.F04
def test_a_run_whose_gateway_died_before_it_had_sent_the_hint(
    scene: Scene, recoveries: Recoveries
) -> None:
    for _ in range(KILLS):
        run = scene.plan(may_be_watched=False)  # its gateway reads nothing while the hint is held
        gate = scene.proxy.hold("RPUSH")
        status, _ = scene.request(run)
        recoveries.kill(scene, run, gate.await_reached(), gate.drop)
        if status == 0:
            assert scene.request(run)[0] == 202
        scene.end(run)
        scene.restore()
    recoveries.check(RESENT_SECONDS)


@pytest.mark.F04
@pytest.mark.parametrize("after", ["before", "run"])
def test_a_run_whose_hint_was_lost_and_whose_lead_dies_about_sending_it_again(
    scene: Scene, recoveries: Recoveries, after: str
) -> None:
    for _ in range(KILLS):
        run = scene.plan(may_be_watched=False)
        lost = scene.proxy.hold("RPUSH")
        gate = scene.proxy.hold("send_hints", after="run" if after == "run" else "before")
        scene.request(run)
        lost.await_reached()
        lost.drop()
        recoveries.kill(scene, run, gate.await_reached(), gate.drop)
        scene.end(run)
        scene.restore()

        assert (scene.calls(run, "first"), scene.calls(run, "make")) == (1, 1)
    recoveries.check(RESENT_SECONDS)


@pytest.mark.F11
@pytest.mark.parametrize("is_answered", [False, True], ids=["not answered", "not recorded"])
def test_a_delivery_whose_sender_died(
    scene: Scene, recoveries: Recoveries, is_answered: bool
) -> None:
    for _ in range(KILLS):
        run = scene.plan()
        held = scene.target.hold(f"/hook/{run.name}")
        scene.request(run)
        pid, let_go = scene.caller_at(held.await_reached()), held.release
        if is_answered:
            gate = scene.proxy.hold("settle_delivery")
            held.release()
            assert gate.await_reached() == pid
            let_go = gate.drop
        recoveries.kill(scene, run, pid, let_go)
        scene.restore()

        assert scene.calls(run, "hook") == 2
    recoveries.check(LEASE_SECONDS + RESENT_SECONDS)
