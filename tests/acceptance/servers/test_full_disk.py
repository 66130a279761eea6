"""The disk of Redis takes no more bytes while callers run workflows, until there is space again."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.disks.full_disk import full_disk
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.failover.absence import Note, check_absence, is_refused
from tests.support.failover.load import call
from tests.support.failover.servers import SingleServer, running_single
from tests.support.failover.trial import Scene, scene_on

LOAD_SECONDS = 2.0
FULL_SECONDS = 4.0

pytestmark = [pytest.mark.F21, pytest.mark.slow, pytest.mark.timeout(300)]


async def test_a_full_disk_refuses_runs_and_serves_reads(
    tmp_path: Path, record_property: Note
) -> None:
    with running_single("everysec") as servers:
        async with scene_on(servers, tmp_path) as scene:
            await asyncio.sleep(LOAD_SECONDS)
            with filled(servers):
                gone = await refusing(scene)
                status, answer = await read_a_run(scene)
                await asyncio.sleep(FULL_SECONDS)
            back = time.monotonic()
            await scene.await_service(back, 0)

    assert (status, answer["status"]) == (200, "completed")
    check_absence(scene, gone, back, record_property)


async def test_a_redis_that_ends_for_its_full_disk_comes_back_with_all_runs(
    tmp_path: Path, record_property: Note
) -> None:
    with running_single("always") as servers:
        async with scene_on(servers, tmp_path) as scene:
            await asyncio.sleep(LOAD_SECONDS)
            with filled(servers):
                assert servers.server.process
                await asyncio.to_thread(servers.server.process.wait, PATIENCE_SECONDS)
                gone = await refusing(scene)
                status, answer = await read_a_run(scene)
                await asyncio.sleep(FULL_SECONDS)
            await asyncio.to_thread(servers.server.start)
            back = time.monotonic()
            await scene.await_service(back, 0)

    assert (status, answer["code"]) == (503, "UNAVAILABLE")
    check_absence(scene, gone, back, record_property)


@contextlib.contextmanager
def filled(servers: SingleServer) -> Iterator[None]:
    """Let the server's file stay as long as it is."""
    assert servers.server.process
    with full_disk(servers.server.process.pid, servers.file.stat().st_size):
        yield


async def refusing(scene: Scene) -> float:
    """Return when runs were refused."""
    await asyncio.sleep(0.2)
    began = time.monotonic()
    await is_refused(scene)
    return began


async def read_a_run(scene: Scene) -> tuple[int, dict[str, object]]:
    """Return the answer about the first run."""
    probe = scene.probes[0]
    return await call(probe.spender, "GET", f"/api/executions/{next(iter(probe.ids))}", None)
