"""A node type that some processes know: runs end where it is known, and others' runs go on."""

import asyncio
import statistics
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.support.acceptance.versions.load import VersionLoad
from tests.support.acceptance.versions.processes import GATEWAY, WORKER, is_fault, is_left
from tests.support.acceptance.versions.releases import ROOT, THIS_RELEASE, Release
from tests.support.acceptance.versions.trial import VersionTrial, version_trial
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.factories import Graph, greeting
from tests.support.nodes.later_type import LATER

NEXT_RELEASE = Release("next", ROOT, ("tests.support.nodes.later_process",))
"""This release with a node type more."""


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
        timeout=2 * PATIENCE_SECONDS,
    )


@pytest.mark.F26
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
    told = Counter(name for name, _ in trial.fleet.lines(is_left))
    assert set(told.values()) == {1}
    assert trial.fleet.lines(is_fault) == []


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


LEFT_COUNT = 1_000
SECONDS = 20.0
MOST_PER_SECOND = 2 * 50
"""Claims of both workers: their pace, and those that one tick of the sweeper brings at once."""


async def claims(trial: VersionTrial) -> int:
    """Return the number of claims so far of all executions of the account."""
    with redis.Redis.from_url(trial.redis_url) as client:
        keys = list(client.scan_iter(f"*:execution:{trial.account.id}:*", count=1_000))
        return sum(int(client.hget(key, "fence") or 0) for key in keys)


async def run_again_and_again(load: VersionLoad, slug: str, seconds: float) -> list[float]:
    """Make runs one after another; return the seconds of each."""
    loop, times = asyncio.get_running_loop(), []
    ends_at = loop.time() + seconds
    while loop.time() < ends_at:
        began = loop.time()
        path = f"/api/workflows/{slug}/run"
        status, answer = await load.ask("POST", path, {"inputs": {"who": "Ada"}})
        times.append(loop.time() - began)
        assert (status, answer["result"]) == (200, {"text": "Hello Ada"})
    return times


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_thousand_runs_that_no_worker_knows_cost_little_and_delay_no_others(
    trial: VersionTrial,
) -> None:
    await trial.start((NEXT_RELEASE, GATEWAY), (THIS_RELEASE, WORKER), (THIS_RELEASE, WORKER))
    neighbour = await trial.add_account("neighbour@localhost")
    slug = await trial.load.save("Tea", serving())
    own = await neighbour.save("Greeting", greeting())
    alone = await run_again_and_again(neighbour, own, SECONDS / 2)
    for _ in range(LEFT_COUNT // 20):
        await asyncio.gather(*(begin(trial, slug, who="Ada") for _ in range(20)))
    before, began = await claims(trial), asyncio.get_running_loop().time()

    beside = await run_again_and_again(neighbour, own, SECONDS)

    claimed = await claims(trial) - before
    per_second = claimed / (asyncio.get_running_loop().time() - began)
    print(
        f"{per_second:.0f} claims/s of {LEFT_COUNT} executions that 2 workers leave; runs of "
        f"another account: median {statistics.median(alone) * 1000:.1f} ms alone, "
        f"{statistics.median(beside) * 1000:.1f} ms beside them, longest {max(beside):.2f} s"
    )
    assert 0 < per_second < MOST_PER_SECOND
    assert max(beside) < PATIENCE_SECONDS / 4
