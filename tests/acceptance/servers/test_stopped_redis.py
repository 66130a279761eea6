"""Redis ends or is killed, and comes back with its data, while callers run workflows."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.support.eventually import eventually
from tests.support.factories import Graph
from tests.support.failover.load import Answer, call
from tests.support.failover.servers import SingleServer, running_servers
from tests.support.failover.trial import Scene, scene_on

ANSWER_SECONDS = 2.0
"""Bound of an answer's time while Redis is away."""
BACK_SECONDS = 5.0
"""Bound of the time from Redis's return until a run is accepted and answered."""
RETRY_SECONDS = 1.0
"""Bound of a retry's delay, behind its time or Redis's return."""
ENDING_SECONDS = 0.2
"""Time in which a request may still reach a Redis that is ending."""
LOAD_SECONDS = 3.0
"""Time of load before Redis goes, and after it is back."""
PACE = 0.02
"""Seconds between two runs of the probe: 50 runs a second, beside the callers."""
Note = Callable[[str, object], None]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.F17
async def test_redis_that_ends_and_comes_back_is_told_at_once_and_costs_nothing(
    tmp_path: Path, record_property: Note
) -> None:
    with running_servers("single") as servers:
        assert isinstance(servers, SingleServer)
        async with scene_on(servers, tmp_path, pace=PACE) as scene:
            backoffs = (LOAD_SECONDS + 1.0, LOAD_SECONDS + 4.0)  # while it is away, and after
            retries = [await begin_retry(scene, backoff) for backoff in backoffs]
            server = servers.server
            gone, back = await away(scene, server.end, servers, seconds=2.0)
            late = [await lateness(scene, *each, back) for each in retries]
            await scene.await_service(back, 0)
            await asyncio.sleep(LOAD_SECONDS)

    check(scene, gone, back, record_property)
    record_property("latest_retry_seconds", round(max(late), 2))
    assert max(late) <= RETRY_SECONDS


@pytest.mark.F18
async def test_redis_that_is_killed_for_twenty_seconds_loses_nothing(
    tmp_path: Path, record_property: Note
) -> None:
    with running_servers("single") as servers:
        assert isinstance(servers, SingleServer)
        async with scene_on(servers, tmp_path, pace=PACE) as scene:
            gone, back = await away(scene, servers.server.kill, servers, seconds=20.0)
            await scene.await_service(back, 0)
            await asyncio.sleep(LOAD_SECONDS)

    check(scene, gone, back, record_property)


async def away(
    scene: Scene, stop: Callable[[], None], servers: SingleServer, *, seconds: float
) -> tuple[float, float]:
    """Take Redis away for a while; return when it went, and when it was back."""
    await asyncio.sleep(LOAD_SECONDS)
    await asyncio.to_thread(stop)
    gone = time.monotonic()
    await is_refused(scene)
    await asyncio.sleep(seconds - (time.monotonic() - gone))
    await asyncio.to_thread(servers.server.start)
    return gone, time.monotonic()


async def is_refused(scene: Scene) -> None:
    """Check the refusal of a run."""
    spender = scene.load.spenders[0]
    path = f"{spender.url}/api/workflows/{spender.slugs[0]}/run?async=true"
    async with httpx2.AsyncClient(headers={"x-api-key": spender.key}) as client:
        answer = await client.post(path, json={"inputs": {"url": scene.load.target}})
    assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
    assert int(answer.headers["retry-after"]) > 0


async def begin_retry(scene: Scene, backoff: float) -> tuple[str, float]:
    """Start a run whose call fails; return the call's path and when it is due again."""
    spender, path = scene.probes[0].spender, f"/flaky/1/after-{backoff}"
    retry = {"attempts": 2, "backoff": backoff}
    graph = Graph().node("call", "httpRequest", url=scene.target.url + path, retry=retry)
    graph.node("out", "responseOutput").wire("call.response-out > out.result-in")
    body = graph.body(f"Retry after {backoff} s")
    status, saved = await call(spender, "POST", "/api/workflows", body)
    assert status == 201, saved
    run = f"/api/workflows/{saved['slug']}/run?async=true"
    status, _ = await call(spender, "POST", run, {"inputs": {}})
    assert status == 202
    await eventually(lambda: calls(scene, path), lambda count: count == 1)
    return path, time.monotonic() + backoff


async def calls(scene: Scene, path: str) -> int:
    return scene.target.calls[path]


async def lateness(scene: Scene, path: str, due: float, back: float) -> float:
    """Return the seconds by which a retry is behind its time, or behind Redis's return."""
    await eventually(lambda: calls(scene, path), lambda count: count == 2)
    return time.monotonic() - max(due, back)


def check(scene: Scene, gone: float, back: float, note: Note) -> None:
    """Check answers of the time without Redis, and that nothing is lost or doubled."""
    meantime = [each for each in answers(scene) if gone + ENDING_SECONDS < each.sent < back]
    refused = [each for each in meantime if each.status == 503]
    verdict = scene.outcome.verdict
    note("executions", verdict.accepted)
    note("lost", len(verdict.lost))
    note("doubled", verdict.doubled)
    note("refused", len(refused))
    slowest = max(each.answered - each.sent for each in refused)
    note("slowest_refusal_seconds", round(slowest, 2))
    [again] = scene.outcome.answered_again
    note("recovery_seconds", round(again, 2))
    assert {each.code for each in refused} == {"UNAVAILABLE"}
    assert slowest <= ANSWER_SECONDS
    assert [each for each in meantime if each.status != 503 and each.answered < back] == []
    assert again <= BACK_SECONDS
    assert verdict.wrong == []
    assert verdict.lost == []
    assert verdict.doubled == 0
    assert verdict.ended == verdict.accepted
    assert scene.outcome.unexpected() == set()


def answers(scene: Scene) -> list[Answer]:
    """Return all answers of the trial."""
    return [*scene.load.answers, *(each for probe in scene.probes for each in probe.answers)]
