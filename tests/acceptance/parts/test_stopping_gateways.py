"""A gateway that is told to stop while 200 callers wait for their runs."""

import asyncio
import re
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.drains.fleet import GATEWAY, WORKER, Member, running_fleet
from tests.support.eventually import eventually
from tests.support.factories import http_fan
from tests.support.http.scripted_server import serving

CALLERS = 200
RUN_SECONDS = 20
EXIT_SECONDS = 20.0
"""Less than the drain: no caller is waited for."""
WAITING = re.compile(r"^headrace_callers_waiting (\d+)", re.MULTILINE)

Record = Callable[[str, object], None]


async def count_waiting(gateway: Member) -> int:
    """Return the callers who wait at a gateway, by its own metrics."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{gateway.url}/metrics/process") as response,
    ):
        found = WAITING.search(await response.text())
    return int(float(found[1])) if found else 0


async def run(session: aiohttp.ClientSession, slug: str) -> tuple[int, Any]:
    async with session.post(f"/api/workflows/{slug}/run", json={"inputs": {}}) as response:
        return response.status, await response.json()


async def end_of(session: aiohttp.ClientSession, execution_id: str) -> str:
    async def read() -> Any:
        async with session.get(f"/api/executions/{execution_id}") as response:
            return await response.json()

    ended = await eventually(read, lambda found: bool(found["completedAt"]), pause=0.5)
    return str(ended["status"])


def session_at(gateway: Member, key: str) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=0)
    return aiohttp.ClientSession(gateway.url, headers={"x-api-key": key}, connector=connector)


@pytest.mark.F27
@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_all_who_wait_are_answered_and_their_runs_go_on(
    tmp_path: Path, record_property: Record
) -> None:
    with running_fleet(tmp_path) as fleet:
        leaving, staying, worker = (fleet.start(kind) for kind in (GATEWAY, GATEWAY, WORKER))
        for each in (leaving, staying, worker):
            await asyncio.to_thread(each.wait_ready)
        key = await asyncio.to_thread(fleet.make_key)
        async with serving() as target, session_at(leaving, key) as session:
            graph = http_fan(f"{target.url}/slow/{RUN_SECONDS}", 1)
            slug = await asyncio.to_thread(fleet.save, key, "Slow", graph)
            calling = asyncio.gather(*(run(session, slug) for _ in range(CALLERS)))
            await eventually(lambda: count_waiting(leaving), CALLERS.__eq__)

            told = time.monotonic()
            code = await asyncio.to_thread(leaving.end, signal.SIGTERM)
            exit_seconds = time.monotonic() - told
            answers = await calling
            with pytest.raises(aiohttp.ClientConnectionError):
                await run(session, slug)
            async with session_at(staying, key) as other:
                ids = [answer["executionId"] for _, answer in answers]
                ends = Counter(await asyncio.gather(*(end_of(other, each) for each in ids)))

    assert code == 0
    assert Counter(status for status, _ in answers) == {202: CALLERS}
    assert len({*ids}) == CALLERS
    assert ends == {"completed": CALLERS}
    assert exit_seconds < EXIT_SECONDS
    record_property("executions", CALLERS)
    record_property("lost", CALLERS - ends["completed"])
    record_property("exit_seconds", exit_seconds)
