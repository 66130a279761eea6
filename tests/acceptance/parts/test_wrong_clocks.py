"""Clocks of processes that are wrong, or step by an hour while runs are under way."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from engine.executions.statuses import ExecutionStatus
from tests.support.drains.fleet import GATEWAY, WORKER, Fleet, Member, running_fleet
from tests.support.drains.fleet_owner import fleet_owner
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.factories import http_line
from tests.support.http.scripted_server import Target, serving
from tests.support.http.signature_verifier import is_knouds_signed
from tests.support.http.webhook_receivers import Received
from tests.support.redis.stepped_clock import SteppedClock
from tests.support.workers.webhook_owner import SECRET, Owner

EXECUTIONS = 8
CALL_SECONDS = 4
LEASE = {"HEADRACE_LEASE_SECONDS": "10"}
"""Far below the errors of the clocks, and enough for a busy machine."""
TIMEOUT_SECONDS = 3
SCALE = 0.1
FIRST_PAUSE = 5 * SCALE * 0.8
"""Least pause after the first attempt at a delivery."""
BACKOFF_SECONDS = 1.0
SIGNED_WITHIN = 60.0
WARNING = "this machine's clock differs from Redis's"

Record = Callable[[str, object], None]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


class TimedTarget(Target):
    """Target that keeps the time of each call."""

    def __init__(self) -> None:
        super().__init__()
        self.times: defaultdict[str, list[float]] = defaultdict(list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.times[request.path].append(time.monotonic())
        return await super().answer(request)


def start(fleet: Fleet, kind: str, clock: SteppedClock) -> Member:
    return fleet.start(kind, **clock.environ)


def clock_at(folder: Path, seconds: float) -> SteppedClock:
    folder.mkdir()
    clock = SteppedClock(folder)
    clock.step(seconds)
    return clock


async def begin_all(owner: Owner, target: Target) -> dict[str, str]:
    """Start executions that call twice, with a webhook each; return its path by id."""
    begun = {}
    for number in range(EXECUTIONS):
        slow = http_line(f"{target.url}/slow/{CALL_SECONDS}/{number}", 1)
        retry = {"attempts": 2, "backoff": BACKOFF_SECONDS}
        slow.node("f", "httpRequest", url=f"{target.url}/flaky/1/{number}", retry=retry)
        slow.wire("f.response-out > out.result-in")
        path = f"/fails/1/0/{number}"
        begun[await owner.run(await owner.hook(path), slow)] = path
    return begun


def check_delivery(received: list[Received], path: str) -> None:
    """Check that a delivery was made again, not too early, with signatures of the right time."""
    attempts = [each for each in received if each.path == path]
    first, second = attempts
    assert second.at - first.at >= FIRST_PAUSE
    for each in attempts:
        assert abs(each.at - int(each.headers["webhook-timestamp"])) < SIGNED_WITHIN
        header = each.headers["x-knouds-signature"]
        assert is_knouds_signed(SECRET, header, each.body, tolerance=SIGNED_WITHIN)


async def warned(member: Member) -> float:
    """Wait until a process has told that its clock is off."""
    began = time.monotonic()

    async def read() -> bool:
        return WARNING in member.log.read_text()

    await eventually(read, timeout=30)
    return time.monotonic() - began


@pytest.mark.F28
@pytest.mark.parametrize("seconds", [120, 3_600])
async def test_workers_whose_clocks_are_wrong_work_as_others(
    tmp_path: Path, seconds: int, record_property: Record
) -> None:
    with running_fleet(tmp_path, HEADRACE_WEBHOOK_TIME_SCALE=str(SCALE), **LEASE) as fleet:
        offsets = (seconds, -seconds)
        workers = [start(fleet, WORKER, clock_at(tmp_path / f"{each}", each)) for each in offsets]
        for each in workers:
            await asyncio.to_thread(each.wait_ready)
        async with fleet_owner(fleet) as owner, serving(TimedTarget()) as target:
            begun = await begin_all(owner, target)
            ended = [await owner.runner.end(each) for each in begun]
            await eventually(lambda: all_told(owner))
            assert len(await owner.store.leases.workers()) == len(workers)
        told = [await warned(each) for each in workers]

    assert isinstance(target, TimedTarget)
    assert {each.status for each in ended} == {ExecutionStatus.COMPLETED}
    for number, path in enumerate(begun.values()):
        assert len(target.times[f"/slow/{CALL_SECONDS}/{number}"]) == 1, "a lease was stolen"
        first, second = target.times[f"/flaky/1/{number}"]
        assert second - first >= 0.8 * BACKOFF_SECONDS
        check_delivery(owner.receiver.received, path)
    record_property("executions", len(ended))
    record_property("clock_told_after_seconds", max(told))


async def all_told(owner: Owner) -> bool:
    return len(owner.receiver.taken) == EXECUTIONS


def hanging(target: Target, number: int) -> Any:
    url = f"{target.url}/slow/90/hangs{number}"
    return http_line(url, 1, timeoutSeconds=TIMEOUT_SECONDS)


@pytest.mark.F29
@pytest.mark.parametrize("seconds", [-3_600, 3_600])
async def test_a_step_of_all_clocks_but_redis_changes_nothing(
    tmp_path: Path, seconds: int, record_property: Record
) -> None:
    clock = clock_at(tmp_path / "clock", 0)
    with running_fleet(tmp_path, **LEASE) as fleet:
        parts = [start(fleet, kind, clock) for kind in (GATEWAY, WORKER, WORKER)]
        for each in parts:
            await asyncio.to_thread(each.wait_ready)
        key = await asyncio.to_thread(fleet.make_key)
        async with serving() as target:
            began = time.time()
            graphs = [
                *(http_line(f"{target.url}/slow/{CALL_SECONDS}/{n}", 2) for n in range(EXECUTIONS)),
                *(hanging(target, number) for number in range(2)),
            ]
            slugs = [
                await asyncio.to_thread(fleet.save, key, f"Run {number}", graph)
                for number, graph in enumerate(graphs)
            ]
            calling = [asyncio.create_task(call_once(parts[0], key, slug)) for slug in slugs]
            await eventually(lambda: called(target, len(slugs)))
            clock.step(seconds)
            stepped = time.monotonic()
            answers = await asyncio.gather(*calling)
            lasted = time.monotonic() - stepped
        runs = [await read_run(parts[0], key, answer["executionId"]) for _, answer in answers]
        kept = fleet.command("ledger", "check", "--json")

    assert [status for status, _ in answers] == [200] * EXECUTIONS + [500] * 2
    assert set(target.calls.values()) == {1}
    assert kept.returncode == 0, kept.stdout
    for run in runs:
        check_times(run, began)
    for run in runs[EXECUTIONS:]:
        assert TIMEOUT_SECONDS <= run["durationMs"] / 1_000 < PATIENCE_SECONDS / 2, run
    record_property("executions", len(runs))
    record_property("seconds_from_step_to_last_answer", lasted)


async def called(target: Target, count: int) -> bool:
    return target.calls.total() >= count


async def call_once(gateway: Member, key: str, slug: str) -> tuple[int, Any]:
    url, headers = f"{gateway.url}/api/workflows/{slug}/run", {"x-api-key": key}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(url, json={"inputs": {}}) as response,
    ):
        return response.status, await response.json()


async def read_run(gateway: Member, key: str, execution_id: str) -> Any:
    url, headers = f"{gateway.url}/api/executions/{execution_id}", {"x-api-key": key}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as response:
        return await response.json()


def check_times(run: Any, began: float) -> None:
    """Check that all times on record are of the clock of Redis, and in order."""
    times = [run["createdAt"], run["startedAt"]]
    for node in run["nodes"]:
        times += [node[name] for name in ("startedAt", "completedAt") if node.get(name)]
    moments = [datetime.fromisoformat(each).timestamp() for each in [*times, run["completedAt"]]]
    assert moments == sorted(moments), run
    assert began - 1 < moments[0] and moments[-1] < time.time() + 1
