"""Aliases, replays and test runs: refused beside the previous release, there once it is gone."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest
import redis

from engine.services.metrics.publishing import GONE_SECONDS
from tests.support.acceptance.versions.load import VersionLoad
from tests.support.acceptance.versions.processes import is_fault, run_command
from tests.support.acceptance.versions.releases import THIS_RELEASE, Release
from tests.support.acceptance.versions.trial import (
    GATEWAY,
    WORKER,
    VersionTrial,
    mixed,
    version_trial,
)
from tests.support.eventually import eventually
from tests.support.factories import greeting

PATH = "/api/workflows/greeting"
TEST = {"inputs": {"who": "Ada"}, "expect": ["result.text == 'Hello Ada'"]}
WRITES: tuple[tuple[str, str, Any], ...] = (
    ("PUT", f"{PATH}/aliases/stable", {"version": 1}),
    ("PUT", f"{PATH}/aliases/live", {"version": 2, "canary": {"version": 1, "percent": 5}}),
    ("POST", f"{PATH}/publish", {"canary": {"percent": 5}}),
    ("POST", f"{PATH}/replay", {"last": 1, "against": "draft", "calls": "recorded"}),
    ("POST", f"{PATH}/tests/run", {"version": "draft"}),
)
"""Calls that write a record of releases, which 0.2.0 would misread."""


def dumped(redis_url: str) -> dict[bytes, bytes]:
    """Return the keys of the workflow."""
    with redis.Redis.from_url(redis_url) as client:
        keys = list(client.scan_iter("*:greeting*", count=1_000))
        assert keys
        return {key: client.dump(key) for key in keys}


async def refuse_all(trial: VersionTrial, own: VersionLoad, seconds: float) -> None:
    """Make the calls again and again, beside runs; none changes a key of the workflow."""
    [url] = [each.url for each in trial.fleet.gateways if each.release is THIS_RELEASE]
    before = await asyncio.to_thread(dumped, trial.redis_url)
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while loop.time() < until:
        for method, path, body in WRITES:
            status, answer = await own.ask_once(method, path, body, url)
            assert (status, answer["code"]) == (503, "UNAVAILABLE"), (path, answer)
            assert "`headrace migrate`" in answer["error"]
        await asyncio.sleep(0.2)
    assert await asyncio.to_thread(dumped, trial.redis_url) == before


async def save_versions(own: VersionLoad) -> None:
    """Save a workflow with two versions and a draft, and run it once."""
    assert await own.save("Greeting", greeting()) == "greeting"
    for path in (PATH, f"{PATH}/draft"):
        status, answer = await own.ask("PUT", path, greeting().body("Greeting"))
        assert status == 200, answer
    await run(own)


async def run(own: VersionLoad, query: str = "") -> dict[str, Any]:
    """Run the workflow; return its execution."""
    path, body = f"{PATH}/run{query}", {"inputs": {"who": "Ada"}}
    status, answer = await own.ask("POST", path, body)
    assert (status, answer["result"]) == (200, {"text": "Hello Ada"}), answer
    return await own.read(answer["executionId"])


async def ended(own: VersionLoad, path: str, body: Any, resource: str) -> dict[str, Any]:
    """Start a replay or a test run; return it once it is over."""
    status, started = await own.ask("POST", path, body)
    assert status == 202, started
    [list_id] = [value for name, value in started.items() if name in ("replayId", "testRunId")]

    async def read() -> dict[str, Any]:
        status, found = await own.ask("GET", f"/api/{resource}/{list_id}")
        assert status == 200, found
        return dict(found)

    return await eventually(read, lambda found: found["status"] != "processing", timeout=60)


async def migrated(trial: VersionTrial, own: VersionLoad) -> None:
    """Raise the schema once the former processes count no more, and set an alias."""

    async def migrate() -> bool:
        environ = trial.fleet.environ
        with contextlib.suppress(AssertionError):  # it names former processes and exits with 1
            answer = await asyncio.to_thread(run_command, THIS_RELEASE, environ, "migrate")
            return bool(answer["schemaVersion"] == 3)
        return False

    await eventually(migrate, timeout=2 * GONE_SECONDS)
    status, alias = await own.ask("PUT", f"{PATH}/aliases/stable", {"version": 1})
    assert (status, alias["version"]) == (200, 1), alias


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.F84
async def test_releases_wait_until_the_previous_release_is_gone(
    previous: Release, tmp_path: Path
) -> None:
    async with version_trial(tmp_path, previous, has_history=True) as trial:
        await trial.start(*mixed(previous, THIS_RELEASE))
        own = await trial.add_account("eve@localhost")
        await save_versions(own)
        ends = await trial.play(2, refuse_all(trial, own, 2))
        assert ends.total() > 0

        await trial.start((THIS_RELEASE, GATEWAY), (THIS_RELEASE, WORKER))
        await migrated(trial, own)
        by_alias, live = await run(own, "?version=stable"), await run(own)
        body = {"last": 1, "against": "draft", "calls": "recorded"}
        replay = await ended(own, f"{PATH}/replay", body, "replays")
        status, test = await own.ask("PUT", f"{PATH}/tests/greets", TEST)
        assert status == 200, test
        tested = await ended(own, f"{PATH}/tests/run", {"version": "draft"}, "test-runs")

        assert (by_alias["workflowVersion"], by_alias["alias"]) == (1, "stable")
        assert (live["workflowVersion"], live["alias"]) == (2, None)
        assert replay["counts"] == {"same": 1, "different": 0, "failed": 0, "unmatched": 0}
        assert tested["status"] == "completed"
        await asyncio.to_thread(trial.fleet.stop)
        assert trial.fleet.lines(is_fault) == []
