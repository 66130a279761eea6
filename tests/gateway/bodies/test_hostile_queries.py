"""Hostile paths and queries against every route that reads, on a gateway of its own process."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.support.acceptance.running_stack import RunningStack
from tests.support.bodies.queries import questions
from tests.support.bodies.scene import Scene
from tests.support.bodies.sender import Findings

QUERIES = int(os.environ.get("QUERIES", "20000"))
SEED = int(os.environ.get("SEED", "1"))


@pytest.mark.A112
@pytest.mark.slow
@pytest.mark.timeout(0)
def test_no_query_gets_a_500_or_waits_a_second(
    stack: RunningStack, scene: Scene, record_property: Callable[[str, Any], None]
) -> None:
    findings, names = Findings(), scene.names()
    aims = [replace(each, known=names) for each in questions()]

    slow = asyncio.run(scene.send(aims, iter(range(QUERIES)), SEED, findings))

    record_property("queries", sum(findings.statuses.values()))
    record_property("answers_of_500", sum(each.status == 500 for each in findings.wrong))
    record_property("slower_than_1_s_alone", len(slow))
    print(findings)
    print(*(each for each in stack.errors if "Traceback" in each))
    assert [str(each) for each in findings.wrong] == [], f"with the seed {SEED}"
    assert [str(each) for each in slow] == [], f"with the seed {SEED}"


@pytest.mark.A112
def test_every_read_of_the_route_table_is_asked() -> None:
    found = {each.route for each in questions()}

    assert len(found) > 80
    assert {"/api/executions", "/api/usage/series", "/media/{asset_id}"} <= found
