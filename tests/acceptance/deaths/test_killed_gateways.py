"""Gateways killed before and after Redis has accepted a run, and callers who repeat their calls.

KILLS_PER_POINT: kills at each point, 2 by default.
"""

import os
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.acceptance.running_stack import until
from tests.support.deaths.evidence import read_evidence
from tests.support.deaths.recovery import Recoveries
from tests.support.deaths.scene import GATEWAY, Run, Scene
from tests.support.redis.proxy import When

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
KILLS = int(os.environ.get("KILLS_PER_POINT", "2"))
CALLERS = 20
BROKEN = (0, None)


def kill_at_acceptance(scene: Scene, run: Run, after: When) -> None:
    """Ask for a run, and kill the gateway before or after Redis has accepted it."""
    gate = scene.proxy.hold("accept_execution", after=after)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(scene.request, run)
        scene.kill(gate.await_reached())
        gate.drop()
        assert asked.result() == BROKEN


def ask_at_once(
    pool: ThreadPoolExecutor, scene: Scene, run: Run, count: int, gateway: int
) -> list[Future[tuple[int, Any]]]:
    """Let so many callers ask for one run at one of the gateways."""
    member = scene.living(GATEWAY)[gateway]
    return [pool.submit(scene.request, run, gateway=member) for _ in range(count)]


@pytest.mark.F01
def test_nothing_is_left_of_a_run_whose_gateway_died_before_its_acceptance(
    scene: Scene, recoveries: Recoveries
) -> None:
    for _ in range(KILLS):
        run, before = scene.plan(), read_evidence(scene)
        kill_at_acceptance(scene, run, "before")
        left = read_evidence(scene)

        assert left.executions.keys() == before.executions.keys()
        assert left.wallet == before.wallet
        records = [each for each in left.keys if ":idempotency:" in each]
        assert sorted(records) == sorted(each for each in before.keys if ":idempotency:" in each)
        assert scene.request(run)[0] == 202
        scene.end(run)
        scene.restore()


@pytest.mark.F02
def test_a_run_whose_gateway_died_after_its_acceptance_ends_and_is_found_by_its_key(
    scene: Scene, recoveries: Recoveries
) -> None:
    for _ in range(KILLS):
        run = scene.plan()
        kill_at_acceptance(scene, run, "run")
        until(lambda run=run: scene.calls(run, "hook"))
        scene.restore()

        status, answer = scene.request(run)
        assert (status, run.id) == (202, scene.told_of(run))
        assert scene.end(run)["status"] == "completed", answer


@pytest.mark.F03
def test_twenty_callers_with_one_key_get_one_run_although_its_gateway_dies(
    scene: Scene, recoveries: Recoveries
) -> None:
    for _ in range(KILLS):
        run = scene.plan()
        gate = scene.proxy.hold("accept_execution", after="run")
        with ThreadPoolExecutor(3 * CALLERS) as pool:
            doomed = ask_at_once(pool, scene, run, CALLERS // 2, gateway=0)
            pid = gate.await_reached()
            others = ask_at_once(pool, scene, run, CALLERS // 2, gateway=1)
            scene.kill(pid)
            gate.drop()
            again = ask_at_once(pool, scene, run, CALLERS, gateway=0)
            broken = [each.result() for each in doomed]
            answers = [each.result() for each in others + again]
        scene.end(run)
        scene.restore()

        assert broken == [BROKEN] * len(doomed)
        print(Counter(status for status, _ in answers))
        assert {status for status, _ in answers} <= {200, 202, 409}
        for status, answer in answers:
            if status == 409:
                assert answer["code"] == "IDEMPOTENCY_KEY_IN_USE"
            else:
                assert answer["executionId"] == scene.told_of(run)
