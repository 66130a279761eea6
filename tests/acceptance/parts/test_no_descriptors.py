"""Gateways and workers without a file descriptor left: they live, and serve again."""

import asyncio
import resource
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.drains.fleet import GATEWAY, WORKER, Member, running_fleet
from tests.support.eventually import eventually
from tests.support.factories import greeting, http_fan
from tests.support.http.scripted_server import serving

CONNECTIONS = 100
RUNS = 40
SHORTAGE_SECONDS = 3.0
ANSWERED = {200, 202, 503}
"""Statuses of a gateway that lacks descriptors; 0: the connection was closed or not taken."""

Record = Callable[[str, object], None]
pytestmark = [pytest.mark.F42, pytest.mark.slow, pytest.mark.timeout(180)]


@contextmanager
def no_descriptors(member: Member) -> Iterator[None]:
    """Let a process open no file while the context lasts."""
    pid = member.process.pid
    used = {int(each.name) for each in Path(f"/proc/{pid}/fd").iterdir()}
    free = min(set(range(len(used) + 1)) - used)
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (free, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


async def call_status(url: str, key: str, method: str, path: str) -> int:
    """Return the status of a call over a connection of its own; 0 without one."""
    limit = aiohttp.ClientTimeout(total=15)
    headers = {"x-api-key": key}
    try:
        async with (
            aiohttp.ClientSession(url, headers=headers, timeout=limit) as session,
            session.request(method, path, json={"inputs": {"who": "Ada"}}) as response,
        ):
            await response.read()
            return response.status
    except (aiohttp.ClientError, TimeoutError, OSError):
        return 0


async def test_a_gateway_turns_callers_away_and_serves_them_later(
    tmp_path: Path, record_property: Record
) -> None:
    with running_fleet(tmp_path) as fleet:
        gateway, worker = fleet.start(GATEWAY), fleet.start(WORKER)
        for each in (gateway, worker):
            await asyncio.to_thread(each.wait_ready)
        key = await asyncio.to_thread(fleet.make_key)
        slug = await asyncio.to_thread(fleet.save, key, "Greeting", greeting())
        path = f"/api/workflows/{slug}/run"
        with ExitStack() as held, no_descriptors(gateway):
            for _ in range(CONNECTIONS):
                held.enter_context(socket.create_connection(("127.0.0.1", gateway.port)))
            calls = (call_status(gateway.url, key, "POST", path) for _ in range(RUNS))
            without = Counter(await asyncio.gather(*calls))
        after = await eventually(
            lambda: call_status(gateway.url, key, "POST", path), lambda status: status == 200
        )
        alive = gateway.process.poll() is None
        log = gateway.log.read_text()

    assert set(without) <= ANSWERED | {0}
    assert without[0] + without[503] > 0, "the gateway had descriptors left"
    assert (after, alive) == (200, True)
    assert '"traceback"' not in log, log
    record_property("calls_turned_away", without[0] + without[503])


async def test_a_worker_fails_calls_alone_and_makes_them_later(
    tmp_path: Path, record_property: Record
) -> None:
    with running_fleet(tmp_path) as fleet:
        gateway, worker = fleet.start(GATEWAY), fleet.start(WORKER)
        for each in (gateway, worker):
            await asyncio.to_thread(each.wait_ready)
        key = await asyncio.to_thread(fleet.make_key)
        async with (
            serving() as target,
            aiohttp.ClientSession(gateway.url, headers={"x-api-key": key}) as session,
        ):
            graph = http_fan(f"{target.url}/echo", 1)
            slug = await asyncio.to_thread(fleet.save, key, "Call", graph)
            with no_descriptors(worker):
                running = asyncio.create_task(run_all(session, slug))
                await asyncio.sleep(SHORTAGE_SECONDS)
            ends = await running
            again = await run_all(session, slug)
        alive = worker.process.poll() is None
        log = worker.log.read_text()

    assert set(ends) <= {("completed", None), ("failed", "connection_failed")}
    assert again == {("completed", None): RUNS}
    assert alive
    told = [line for line in log.splitlines() if '"traceback"' in line]
    assert told or ends["failed", "connection_failed"] > 0, "the worker had descriptors left"
    assert [line for line in told if "Too many open files" not in line] == []
    record_property("executions", 2 * RUNS)
    record_property("failed_calls", ends["failed", "connection_failed"])
    record_property("executions_given_back", len(told))


async def run_all(session: aiohttp.ClientSession, slug: str) -> Counter[tuple[str, Any]]:
    """Begin runs together; return their ends, each with the code of its node."""

    async def run() -> tuple[str, Any]:
        path = f"/api/workflows/{slug}/run?async=true"
        async with session.post(path, json={"inputs": {}}) as response:
            execution_id = (await response.json())["executionId"]

        async def read() -> Any:
            async with session.get(f"/api/executions/{execution_id}") as response:
                return await response.json()

        found = await eventually(read, lambda run: bool(run["completedAt"]), pause=0.2)
        codes = [each["error"]["code"] for each in found["nodes"] if each["error"]]
        assert found["status"] == "completed" or codes, str(found["error"])
        return found["status"], codes[0] if codes else None

    return Counter(await asyncio.gather(*(run() for _ in range(RUNS))))
