"""Hostile JSON bodies against every route that takes one, on a gateway of its own process.

`make fuzz-bodies BODIES=1000000 SEED=7` sends so many. A body that was not answered as it should be
is made again by the seed and its number: `BODIES_FIRST=123 BODIES=1`.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.acceptance.running_stack import RunningStack
from tests.support.bodies.scene import Scene
from tests.support.bodies.sender import Findings
from tests.support.bodies.targets import LEFT_OUT, targets

BODIES = int(os.environ.get("BODIES", "20000"))
FIRST = int(os.environ.get("BODIES_FIRST", "0"))
SEED = int(os.environ.get("SEED", "1"))
MINUTES = float(os.environ.get("BODIES_MINUTES", "inf"))
"""Time after which no further body is sent."""
TOLD_EVERY = 20_000


def told(numbers: range, findings: Findings) -> Iterator[int]:
    """Yield the numbers, and print now and then how far they are."""
    began = time.monotonic()
    for number in numbers:
        if time.monotonic() - began > MINUTES * 60:
            return
        done = number - numbers.start
        if done and done % TOLD_EVERY == 0:
            rate = done / (time.monotonic() - began)
            print(
                f"{done:,} bodies, {rate:.0f}/s, {dict(sorted(findings.statuses.items()))}", end=" "
            )
            print(f"wrong {len(findings.wrong)}, slow {len(findings.slow)}", flush=True)
            for each in findings.wrong[-3:]:
                print(f"  {each}", flush=True)
        yield number


@pytest.mark.A110
@pytest.mark.slow
@pytest.mark.timeout(0)
def test_no_body_gets_a_500_or_waits_a_second(
    stack: RunningStack, scene: Scene, record_property: Callable[[str, Any], None]
) -> None:
    findings, aims = Findings(), scene.writes()
    numbers = told(range(FIRST, FIRST + BODIES), findings)

    slow = asyncio.run(scene.send(aims, numbers, SEED, findings))

    for name, value in (
        ("bodies", sum(findings.statuses.values())),
        ("routes", len(set(aims))),
        ("answers_of_500", sum(each.status == 500 for each in findings.wrong)),
        ("runs_failed_by_their_server", findings.statuses[500]),
        ("slower_than_1_s_beside_other_work", len(findings.slow)),
        ("slower_than_1_s_alone", len(slow)),
    ):
        record_property(name, value)
    print(findings)
    print(*(each for each in stack.errors if "Traceback" in each))
    assert [str(each) for each in findings.wrong] == [], f"with the seed {SEED}"
    assert [str(each) for each in slow] == [], f"with the seed {SEED}"
    assert scene.caller.get("/healthz").status_code == 200


@pytest.mark.A110
def test_every_write_of_the_route_table_is_aimed_at() -> None:
    found = {(each.method, each.route) for each in targets()}

    assert found.isdisjoint(LEFT_OUT)
    assert len(found) > 50
    assert {("POST", "/mcp"), ("PUT", "/api/workflows/{slug}")} <= found
