"""Callers who wait: some disconnect, some lose their gateway, some are not woken.

CALLERS: number of callers who disconnect, 100 by default; 500 for the figure of the report.
"""

import contextlib
import http.client
import json
import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.support.acceptance.running_stack import until
from tests.support.deaths.caller import Caller, open_caller
from tests.support.deaths.scene import GATEWAY, Scene
from tests.support.drains.fleet import Member

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
CALLERS = int(os.environ.get("CALLERS", "100"))
AT_ONCE = 50
MOST_PAUSE_SECONDS = 3.0
WAITING = 200
AGAIN_SECONDS = 1.0
LATE_SECONDS = 1.0
SLACK_SECONDS = 2.0
"""Time that a busy machine may take beside the fallback's second."""
SPARE = 2
Record = Callable[[str, object], None]


@pytest.fixture
def caller(scene: Scene) -> Caller:
    scene.restore()
    return open_caller(scene)


def open_files(member: Member) -> int:
    return len(list(Path(f"/proc/{member.process.pid}/fd").iterdir()))


def connections(scene: Scene) -> int:
    with Redis.from_url(scene.redis_url) as redis:
        return len(redis.client_list())


def hang_up(caller: Caller, member: Member, number: int) -> None:
    """Ask for a run of a second, and disconnect at a random moment."""
    draw = random.Random(number)
    connection = http.client.HTTPConnection("127.0.0.1", member.port)
    body = json.dumps({"inputs": {"who": f"h{number}", "pause": "1"}})
    connection.request("POST", caller.path, body, caller.headers(f"hung-{number}"))
    time.sleep(draw.uniform(0, MOST_PAUSE_SECONDS))
    connection.close()


@pytest.mark.F14
def test_callers_who_disconnect_leave_their_runs_and_nothing_else(
    scene: Scene, caller: Caller, record_property: Record
) -> None:
    member = scene.living(GATEWAY)[0]
    hang_up(caller, member, -1)  # what is opened once stays open
    until(lambda: caller.statuses() == {"completed": 1})
    time.sleep(1)
    base = open_files(member), connections(scene)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda number: hang_up(caller, member, number), range(CALLERS)))

    found = until(caller.statuses, lambda each: set(each) == {"completed"}, timeout=60)
    accepted = found["completed"] - 1
    record_property("executions", accepted)
    assert CALLERS // 2 < accepted <= CALLERS  # some left before their run was accepted
    for row in caller.rows():
        assert caller.read(row["executionId"])["result"] is not None
    until(lambda: open_files(member) <= base[0] + SPARE and connections(scene) <= base[1] + SPARE)


def wait_for_answer(caller: Caller, member: Member, number: int) -> tuple[Any, float]:
    """Return the answer to a call that waits, and its time; none: the connection broke.

    A call whose key is in use is repeated after the second that its answer names.
    """
    body = {"inputs": {"who": f"w{number}", "pause": "3"}}
    while True:
        status, answer = caller.run(member, body, f"waiting-{number}")
        if status in (0, 200):
            return answer, time.time()
        assert (status, answer["code"]) == (409, "IDEMPOTENCY_KEY_IN_USE")
        time.sleep(AGAIN_SECONDS)


@pytest.mark.F15
def test_callers_whose_gateway_died_get_their_results_at_the_other(
    scene: Scene, caller: Caller, record_property: Record
) -> None:
    doomed, other = scene.living(GATEWAY)
    with ThreadPoolExecutor(WAITING) as pool:
        calls = [pool.submit(wait_for_answer, caller, doomed, n) for n in range(WAITING)]
        until(lambda: len(caller.rows()) == WAITING)
        scene.kill(doomed.process.pid)
        broken = [each.result()[0] for each in calls]
        again = [pool.submit(wait_for_answer, caller, other, n) for n in range(WAITING)]
        answers = [each.result() for each in again]

    assert broken == [None] * WAITING
    assert caller.statuses() == {"completed": WAITING}
    ends = {row["executionId"]: row for row in caller.rows()}
    assert {answer["executionId"] for answer, _ in answers} == set(ends)
    late = [moment - end_of(ends[answer["executionId"]]) for answer, moment in answers]
    assert max(late) < AGAIN_SECONDS + LATE_SECONDS + SLACK_SECONDS
    record_property("executions", WAITING)
    record_property("most_late_seconds", round(max(late), 2))


@pytest.mark.F16
def test_callers_whose_wake_up_is_lost_are_answered_a_second_late(
    scene: Scene, caller: Caller, record_property: Record
) -> None:
    member = scene.living(GATEWAY)[0]
    lateness = []
    scene.proxy.loses_messages = True
    with contextlib.ExitStack() as exits:
        exits.callback(setattr, scene.proxy, "loses_messages", False)
        for number in range(10):
            body = {"inputs": {"who": f"late{number}", "pause": "0.5"}}
            status, answer = caller.run(member, body, f"late-{number}")
            moment = time.time()
            assert status == 200, answer
            lateness.append(moment - end_of(caller.read(answer["executionId"])))

    record_property("most_late_seconds", round(max(lateness), 2))
    print(f"late by {sorted(round(each, 2) for each in lateness)}")
    assert max(lateness) < LATE_SECONDS + SLACK_SECONDS
    assert max(lateness) > 0.1  # no message has woken them all


def end_of(row: Any) -> float:
    """Return the time of an execution's end."""
    return datetime.fromisoformat(row["completedAt"].replace("Z", "+00:00")).timestamp()
