"""Callers who wait for runs through real gateways: each is told once of the end of its run."""

import asyncio
import json
import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.acceptance.running_stack import RunningStack, running, until
from tests.support.contract.installation import Administration, Caller
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.gateway.documents import edge, node
from tests.support.http.target import Stub, stub_server

CAPABILITIES = ["workflow:*", "webhook:receive"]
WAIT_SECONDS = 1.0
FURTHER_SECONDS = 2.0
"""Time for a delivery that should not come."""
AT_ONCE = 25


@dataclass
class Waiters:
    """Callers with one key, whose webhook is the receiver."""

    stack: RunningStack
    receiver: Stub
    caller: Caller
    secret: str
    path: str
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    """Status and body of each answer by execution."""
    nearness: list[float] = field(default_factory=list)
    """Seconds by which the pauses of the runs differed from the wait."""

    async def wait(self, client: httpx2.AsyncClient, pause: float) -> int:
        """Run with a node that takes so long; return the status of the answer."""
        answer = await client.post(
            self.path, json={"inputs": {"pause": f"{pause:.3f}"}}, params={"timeout": WAIT_SECONDS}
        )
        body = answer.json()
        self.answers[body["executionId"]] = answer.status_code, body
        return answer.status_code

    def client(self) -> httpx2.AsyncClient:
        """Return a client of the gateways with the key."""
        headers = {"x-api-key": self.secret}
        return httpx2.AsyncClient(
            base_url=self.stack.url, headers=headers, timeout=PATIENCE_SECONDS
        )

    def told(self) -> Counter[str]:
        """Return the number of deliveries that were received, by execution."""
        bodies = [json.loads(each.body) for each in self.receiver.at("/hook")]
        return Counter(each["executionId"] for each in bodies)

    def processing(self) -> int:
        """Return the number of runs on the first page that go on."""
        found = self.caller.get("/api/executions?status=processing&limit=200").json()
        return len(found["rows"])


@pytest.fixture(scope="module")
def receiver() -> Iterator[Stub]:
    with stub_server() as started:
        yield started


@pytest.fixture(scope="module")
def two_gateways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    folder: Path = tmp_path_factory.mktemp("waits")
    settings = {"HEADRACE_ALLOW_PRIVATE_URLS": "1", "HEADRACE_LEASE_SECONDS": "1"}
    with running(folder, "--no-demo", "--gateways", "2", **settings) as started:
        yield started


@pytest.fixture
def waiters(two_gateways: RunningStack, receiver: Stub) -> Iterator[Waiters]:
    receiver.requests.clear()
    administration = Administration(two_gateways)
    browser = administration.browser(administration.account("enterprise"))
    made = browser.post("/api/api-keys", {"name": "k", "capabilities": CAPABILITIES}).json()
    hook = {"url": f"{receiver.url}/hook"}
    assert browser.put(f"/api/api-keys/{made['id']}/webhook", hook).status_code == 200
    caller = administration.with_key(made["key"])
    slug = caller.save(pausing(receiver.url))
    path = f"/api/workflows/{slug}/run"
    yield Waiters(two_gateways, receiver, caller, made["key"], path)
    caller.clean()
    administration.close()


def pausing(base: str) -> dict[str, Any]:
    """Return a workflow whose call takes as long as its input says, and then fails or not."""
    pause = {"name": "pause", "label": "Pause", "type": "text"}
    settings = {"url": base + "/slow/{{ pause }}", "retry": {"attempts": 1}}
    return {
        "name": "Pausing",
        "nodes": [
            node("form", "requestInput", fields=[pause]),
            node("call", "httpRequest", **settings),
            node("result", "responseOutput"),
        ],
        "edges": [
            edge("form", "pause", "call", "pause"),
            edge("call", "response-out", "result", "result-in"),
        ],
    }


async def meet(waiters: Waiters, count: int) -> None:
    """Let runs end about when their waits do; the pause follows the answers before."""
    draw, pause, left = random.Random(31), WAIT_SECONDS - 0.05, iter(range(count))

    async def wait_again_and_again(client: httpx2.AsyncClient) -> None:
        nonlocal pause
        for _ in left:
            mine = pause + draw.uniform(-0.02, 0.02)
            status = await waiters.wait(client, mine)
            pause += -0.004 if status == 202 else 0.004

    async with waiters.client() as client:
        await asyncio.gather(*(wait_again_and_again(client) for _ in range(AT_ONCE)))


@pytest.mark.parametrize(
    "count", [100, pytest.param(1_000, marks=pytest.mark.thorough)], ids=["few", "many"]
)
def test_an_end_that_meets_the_end_of_its_wait_is_told_once(waiters: Waiters, count: int) -> None:
    asyncio.run(meet(waiters, count))
    later = {each for each, (status, _) in waiters.answers.items() if status == 202}
    until(lambda: waiters.told().keys() >= later)
    until(waiters.processing, lambda number: number == 0)
    asyncio.run(asyncio.sleep(FURTHER_SECONDS))

    statuses = Counter(status for status, _ in waiters.answers.values())
    print(f"{count} runs: answered {statuses[200] + statuses[500]}, delivered {statuses[202]}")
    assert len(waiters.answers) == count
    assert min(statuses[202], count - statuses[202]) > count // 20
    assert waiters.told() == Counter(later)
    for status, body in waiters.answers.values():
        if status == 202:
            assert body["webhookDelivery"]["configured"] is True


async def hang_up(waiters: Waiters, count: int) -> None:
    """Call and hang up at some time before the end."""
    draw = random.Random(7)

    async def call() -> None:
        async with waiters.client() as client:
            call = client.post(waiters.path, json={"inputs": {"pause": "3"}})
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(call, draw.uniform(0.3, 1.5))

    await asyncio.gather(*(call() for _ in range(count)))


def accepted(waiters: Waiters) -> set[str]:
    """Return the ids of all executions of the account's newest."""
    found = waiters.caller.get("/api/executions?limit=200").json()
    return {row["executionId"] for row in found["rows"]}


def test_callers_who_hang_up_are_told_once(waiters: Waiters) -> None:
    asyncio.run(hang_up(waiters, 50))
    begun = accepted(waiters)
    assert len(begun) > 25  # a call may have hung up before it was accepted

    until(lambda: waiters.told().keys() >= begun)
    asyncio.run(asyncio.sleep(FURTHER_SECONDS))

    assert waiters.told() == Counter(begun)


def accepted_again(waiters: Waiters) -> set[str]:
    """Return `accepted`, or nothing while no gateway serves."""
    try:
        return accepted(waiters)
    except httpx2.TransportError:
        return set()


async def lose_gateways(waiters: Waiters, count: int) -> list[object]:
    """Let callers wait, and kill the gateways; return what the callers got."""

    async def call() -> object:
        try:
            async with waiters.client() as client:
                return await client.post(waiters.path, json={"inputs": {"pause": "4"}})
        except httpx2.TransportError as error:
            return error

    calls = [asyncio.create_task(call()) for _ in range(count)]
    while len(await asyncio.to_thread(accepted, waiters)) < count:
        await asyncio.sleep(0.05)
    for pid in waiters.stack.part("gateway"):
        os.kill(pid, signal.SIGKILL)
    return await asyncio.gather(*calls)


def test_callers_whose_gateway_was_killed_are_told_once(waiters: Waiters) -> None:
    got = asyncio.run(lose_gateways(waiters, 50))
    assert all(isinstance(each, httpx2.TransportError) for each in got)
    begun = until(lambda: accepted_again(waiters), lambda found: len(found) == 50)

    until(lambda: waiters.told().keys() >= begun)
    asyncio.run(asyncio.sleep(FURTHER_SECONDS))

    assert waiters.told() == Counter(begun)
