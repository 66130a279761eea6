"""A node type that some processes know: runs end where it is known, and others' runs go on."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.acceptance.versions.processes import GATEWAY, WORKER
from tests.support.acceptance.versions.releases import ROOT, THIS_RELEASE, Release
from tests.support.acceptance.versions.trial import VersionTrial, version_trial
from tests.support.eventually import eventually
from tests.support.factories import Graph
from tests.support.nodes.later_type import LATER

NEXT_RELEASE = Release("next", ROOT, ("tests.support.nodes.later_process",))
"""This release with a node type more."""
LEFT = "leaves executions to other workers"


def serving() -> Graph:
    graph = Graph("who").node("t", LATER).node("out", "responseOutput")
    return graph.wire("in.who > t.value-in", "t.text-out > out.result-in")


@pytest.fixture
async def trial(tmp_path: Path) -> AsyncIterator[VersionTrial]:
    """A gateway of the next release, and two workers of this one."""
    async with version_trial(tmp_path, THIS_RELEASE) as started:
        yield started


async def begin(trial: VersionTrial, slug: str, **inputs: str) -> str:
    status, answer = await trial.load.ask(
        "POST", f"/api/workflows/{slug}/run?async=true", {"inputs": inputs}
    )
    assert status == 202, answer
    return str(answer["executionId"])


async def end_of(trial: VersionTrial, execution_id: str) -> dict[str, Any]:
    return await eventually(
        lambda: trial.load.read(execution_id),
        lambda found: found["status"] in ("completed", "failed", "cancelled"),
    )


def said(trial: VersionTrial) -> Counter[str]:
    """Return the lines of each log that tell of an execution left to others."""
    members = (*trial.fleet.members, *trial.fleet.ended)
    return Counter(
        member.log.name
        for member in members
        for line in member.log.read_text().splitlines()
        if json.loads(line).get("event") == LEFT
    )


async def test_a_run_waits_for_a_worker_that_knows_its_node_type(trial: VersionTrial) -> None:
    await trial.start((NEXT_RELEASE, GATEWAY), (THIS_RELEASE, WORKER), (THIS_RELEASE, WORKER))
    slug = await trial.load.save("Tea", serving())
    waiting = [await begin(trial, slug, who=f"guest {number}") for number in range(10)]
    first = await eventually(
        lambda: trial.load.read(waiting[0]), lambda found: bool(found.get("warnings"))
    )
    status, _ = await trial.load.ask("POST", f"/api/executions/{waiting[9]}/cancel")

    await trial.start((NEXT_RELEASE, WORKER))
    ended = [await end_of(trial, each) for each in waiting]

    expected = [{"text": f"guest {number} tea"} for number in range(9)]
    warning = "The execution waits for a worker that knows the node type 'teaTime'"
    assert (first["status"], first["warnings"], status) == ("processing", [warning], 202)
    assert [each.get("result") for each in ended[:9]] == expected
    assert ended[9]["status"] == "cancelled"
    await asyncio.to_thread(trial.fleet.stop)
    assert set(said(trial).values()) == {1}
    assert trial.fleet.faults() == []


@pytest.mark.parametrize("minutes", ["0.03"])
async def test_a_run_that_no_worker_knows_fails_after_the_wait(
    trial: VersionTrial, minutes: str
) -> None:
    trial.fleet.environ = {**trial.fleet.environ, "HEADRACE_UNKNOWN_WAIT_MINUTES": minutes}
    await trial.start((NEXT_RELEASE, GATEWAY), (THIS_RELEASE, WORKER))
    graph = serving().node("m", "customModel", model="echo", prompt="x")
    slug = await trial.load.save("Tea", graph.wire("m.text-out > out.result-in"))
    execution_id = await begin(trial, slug, who="Ada")

    status, answer = await trial.load.ask(
        "POST", f"/api/workflows/{slug}/run", {"inputs": {"who": "Eve"}}
    )
    ended = await end_of(trial, execution_id)

    assert (status, answer["code"], answer["nodeCode"]) == (
        500,
        "EXECUTION_FAILED",
        "no_worker_can_run",
    )
    assert "the node type 'teaTime'" in answer["reason"]
    assert ended["error"]["nodeId"] == "t"
    assert await trial.told(execution_id) == "execution.failed"
    assert await trial.spent() == (0, 0)
