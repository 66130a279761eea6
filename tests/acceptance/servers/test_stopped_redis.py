"""Redis ends or is killed, and comes back with its data, while callers run workflows."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.eventually import eventually
from tests.support.factories import Graph
from tests.support.failover.absence import Note, check_absence, is_refused
from tests.support.failover.load import call
from tests.support.failover.servers import SingleServer, running_single
from tests.support.failover.trial import Scene, scene_on

RETRY_SECONDS = 1.0
"""Bound of a retry's delay, behind its time or Redis's return."""
LOAD_SECONDS = 3.0
"""Time of load before Redis goes, and after it is back."""
PACE = 0.02
"""Seconds between two runs of the probe: 50 runs a second, beside the callers."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.F17
async def test_redis_that_ends_and_comes_back_is_told_at_once_and_costs_nothing(
    tmp_path: Path, record_property: Note
) -> None:
    with running_single() as servers:
        async with scene_on(servers, tmp_path, pace=PACE) as scene:
            backoffs = (LOAD_SECONDS + 1.0, LOAD_SECONDS + 4.0)  # while it is away, and after
            retries = [await begin_retry(scene, backoff) for backoff in backoffs]
            server = servers.server
            gone, back = await away(scene, server.end, servers, seconds=2.0)
            late = [await lateness(scene, *each, back) for each in retries]
            await scene.await_service(back, 0)
            await asyncio.sleep(LOAD_SECONDS)

    check_absence(scene, gone, back, record_property)
    record_property("latest_retry_seconds", round(max(late), 2))
    assert max(late) <= RETRY_SECONDS


@pytest.mark.F18
async def test_redis_that_is_killed_for_twenty_seconds_loses_nothing(
    tmp_path: Path, record_property: Note
) -> None:
    with running_single() as servers:
        async with scene_on(servers, tmp_path, pace=PACE) as scene:
            gone, back = await away(scene, servers.server.kill, servers, seconds=20.0)
            await scene.await_service(back, 0)
            await asyncio.sleep(LOAD_SECONDS)

    check_absence(scene, gone, back, record_property)


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
