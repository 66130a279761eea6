"""Webhooks against the whole stack: keys and webhooks by command, runs and events over HTTP."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from standardwebhooks.webhooks import Webhook as StockVerifier

from tests.acceptance.commands.test_commands import LETTER
from tests.support.acceptance.commands import json_of
from tests.support.acceptance.running_stack import RunningStack, running
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.http.webhook_receivers import Receiver, receiving

PRIVATE = "HEADRACE_ALLOW_PRIVATE_URLS"
SHORT = "0.0005"
"""An hour of the schedule becomes 1.8 s."""
INPUTS = {"inputs": {"name": "Ada"}}


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[RunningStack]:
    environ = {PRIVATE: "1", "HEADRACE_WEBHOOK_TIME_SCALE": SHORT}
    with running(tmp_path, "--workers", "2", **environ) as started:
        yield started


async def hooked_key(stack: RunningStack, url: str) -> tuple[str, str]:
    """Create a key of a new Enterprise account with a webhook; return the key's and its secrets."""

    def make() -> tuple[str, str]:
        account = json_of(
            *(stack, "account", "create", "--email", "w@example.org", "--tier", "enterprise")
        )
        capabilities = ("--capability", "workflow:*", "--capability", "webhook:receive")
        key = json_of(stack, "key", "create", "--account", account["id"], *capabilities)
        hook = json_of(stack, "key", "webhook", key["id"], "--url", url, **{PRIVATE: "1"})
        return key["key"], hook["secret"]

    return await asyncio.to_thread(make)


async def own_workflow(stack: RunningStack, client: httpx2.AsyncClient) -> str:
    """Save the demo's letter as a workflow of the caller; return the path that runs it."""
    read = await client.get(f"/api/workflows/{LETTER}", headers={"x-api-key": stack.key})
    saved = await client.post("/api/workflows", json=read.json())
    return f"/api/workflows/{saved.json()['slug']}/run?async=true"


async def test_an_asynchronous_run_is_told_and_verified(stack: RunningStack) -> None:
    async with receiving() as receiver:
        key, secret = await hooked_key(stack, f"{receiver.url}/ok")
        headers = {"x-api-key": key}
        async with httpx2.AsyncClient(
            base_url=stack.url, headers=headers, timeout=PATIENCE_SECONDS
        ) as client:
            run = await own_workflow(stack, client)
            accepted = (await client.post(run, json=INPUTS)).json()
        await eventually(lambda: received(receiver))

    [request] = receiver.received
    event = StockVerifier(secret).verify(request.body, request.headers)
    assert accepted["webhookDelivery"] == {"configured": True, "url": f"{receiver.url}/ok"}
    assert event["executionId"] == accepted["executionId"]
    assert event["result"]["text"].startswith("Dear Ada")


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_two_thousand_runs_a_flaky_receiver_and_killed_workers(stack: RunningStack) -> None:
    async with receiving() as receiver:
        key, _ = await hooked_key(stack, f"{receiver.url}/random/30")
        headers = {"x-api-key": key}
        async with httpx2.AsyncClient(
            base_url=stack.url, headers=headers, timeout=PATIENCE_SECONDS
        ) as client:
            run = await own_workflow(stack, client)
            ids: set[str] = set()
            for turn in range(100):
                answers = await asyncio.gather(*(client.post(run, json=INPUTS) for _ in range(20)))
                ids |= {answer.json()["executionId"] for answer in answers}
                if turn in (30, 60):
                    os.kill(stack.part("worker")[0], signal.SIGKILL)
        await eventually(lambda: all_taken(receiver, ids), timeout=120, pause=0.5)

    assert len(ids) == 2_000
    assert set(receiver.ids()) == ids
    bodies: dict[str, set[bytes]] = {}
    for each in receiver.received:
        bodies.setdefault(each.id, set()).add(each.body)
    assert {len(each) for each in bodies.values()} == {1}


async def received(receiver: Receiver) -> bool:
    return bool(receiver.received)


async def all_taken(receiver: Receiver, ids: set[str]) -> bool:
    return ids <= receiver.taken
