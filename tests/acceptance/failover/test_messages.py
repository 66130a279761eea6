"""Webhooks, messages to an operator's own actors, and heartbeats across failovers."""

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from engine.access.capabilities import Tier
from engine.errors import Unavailable
from tests.support.acceptance.commands import json_of
from tests.support.acceptance.random_spending import Spender
from tests.support.eventually import eventually
from tests.support.failover.load import call, save_tiny
from tests.support.failover.servers import running_servers
from tests.support.failover.trial import Scene, scene_on
from tests.support.http.webhook_receivers import Receiver, receiving
from tests.support.redis.installation import SECRET_KEY

ROOT = Path(__file__).parents[3]
KILLS = 3
PRIVATE = {"HEADRACE_ALLOW_PRIVATE_URLS": "1", "HEADRACE_SECRET_KEY": SECRET_KEY}
TOLD_SECONDS = 60.0
LOST_SHARE = 0.02
"""Messages that may be lost: those that were taken out of Redis while its primary died."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.parametrize("topology", ["sentinel", "cluster"]),
]


async def kill_each(scene: Scene) -> None:
    for number in range(KILLS):
        await scene.kill_and_bring_back(number % scene.servers.shard_count)


async def hooked(scene: Scene, url: str) -> Spender:
    """Return a caller of an account of its own, whose key has a webhook."""
    one = scene.load.spenders[0]
    account = await scene.store.accounts.create(email="hook@localhost", tier=Tier.ENTERPRISE)

    def make_key() -> str:
        rights = ("--capability", "workflow:*", "--capability", "webhook:receive")
        key = json_of(scene.stack, "key", "create", "--account", account.id, *rights, **PRIVATE)
        json_of(scene.stack, "key", "webhook", key["id"], "--url", url, **PRIVATE)
        return str(key["key"])

    return Spender(scene.store, account, one.terms, one.url, await asyncio.to_thread(make_key), 0)


async def test_each_run_is_told_to_its_webhook(topology: str, tmp_path: Path) -> None:
    with running_servers(topology) as servers:
        async with receiving() as receiver, scene_on(servers, tmp_path, callers=1) as scene:
            spender = await hooked(scene, f"{receiver.url}/ok")
            path = f"/api/workflows/{await save_tiny(spender)}/run?async=true"
            killing = asyncio.create_task(kill_each(scene))
            accepted = []
            while not killing.done():
                status, answer = await call(spender, "POST", path, {"inputs": {"who": "Ada"}})
                if status == 202:
                    accepted.append(answer["executionId"])
                await asyncio.sleep(0.05)
            await killing
            told = await eventually(
                lambda: told_of(receiver), set(accepted).issubset, timeout=TOLD_SECONDS
            )

    times = Counter(request.event["executionId"] for request in receiver.received)
    print(f"{len(accepted)} runs, {len(receiver.received)} requests, {len(told)} executions told")
    assert len(accepted) > 100
    assert sum(times[each] - 1 for each in accepted) <= len(accepted) * LOST_SHARE


async def told_of(receiver: Receiver) -> set[str]:
    return {request.event["executionId"] for request in receiver.received}


async def test_own_actors_go_on_and_workers_keep_their_leases(
    topology: str, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    environ = {
        "HEADRACE_ACTORS": "tests.support.workers.own_actors",
        "NOTES": str(notes),
        "PYTHONPATH": str(ROOT),
    }
    with running_servers(topology) as servers:
        async with scene_on(servers, tmp_path, callers=1, **environ) as scene:
            sender = subprocess.Popen(
                [sys.executable, "-m", "tests.support.failover.sender"],
                env={**os.environ, **environ, **PRIVATE, "HEADRACE_REDIS_URL": servers.address()},
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            before = await workers(scene)
            await kill_each(scene)
            output, _ = await asyncio.to_thread(sender.communicate, "")
            sent, repeated = map(int, output.split())
            seen = await eventually(
                lambda: numbers_of(notes), lambda found: found[sent - 1], timeout=TOLD_SECONDS
            )
            assert await eventually(lambda: workers(scene), timeout=TOLD_SECONDS) == before

    missing = [number for number in range(sent) if not seen[number]]
    print(f"{sent} messages, {repeated} sent again, {len(missing)} lost: {missing[:20]}")
    assert sent > 100
    assert len(missing) <= sent * LOST_SHARE
    assert sum(count - 1 for count in seen.values()) <= repeated


async def workers(scene: Scene) -> set[str]:
    """Return the workers with a lease; none while the store is away."""
    try:
        return set(await scene.store.leases.workers())
    except Unavailable:
        return set()


async def numbers_of(notes: Path) -> Counter[int]:
    """Return how often the actor was given each number."""
    lines = notes.read_text().splitlines() if notes.exists() else []
    kept = (json.loads(line) for line in lines)
    return Counter(rest[1][0] for word, *rest in kept if word == "keep")
