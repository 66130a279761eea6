"""Callers who wait for runs through real gateways: each is told once of the end of its run."""

import asyncio
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.acceptance.running_stack import RunningStack, running, until
from tests.support.contract.installation import Administration, Caller
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.gateway.documents import edge, greeting, node
from tests.support.http.target import Stub, stub_server

CAPABILITIES = ["workflow:*", "webhook:receive"]
WAIT_SECONDS = 1.0
FURTHER_SECONDS = 2.0
"""Time for a delivery that should not come."""
AT_ONCE = 25
ANSWERED_AGAIN_SECONDS = 4.0
"""Bound of the time before a gateway's death in which an answered run may be told again: its last
renewal, and the second that an answer may take to begin, on a busy machine."""
LEASE_SECONDS = 5.0
"""Lease of a gateway, of which the setting for workers is a fifth."""


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


@pytest.mark.F54
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


async def call_and_signal(
    waiters: Waiters, pauses: Sequence[float], *signals: tuple[signal.Signals, float]
) -> list[httpx2.Response | None]:
    """Let callers wait, send signals to the gateways, each followed by a pause.

    Return what the callers got, None for a broken connection.
    """

    async def call(pause: float) -> httpx2.Response | None:
        try:
            async with waiters.client() as client:
                return await client.post(waiters.path, json={"inputs": {"pause": str(pause)}})
        except httpx2.TransportError:
            return None

    calls = [asyncio.create_task(call(each)) for each in pauses]
    while len(await asyncio.to_thread(accepted, waiters)) < len(calls):
        await asyncio.sleep(0.05)
    for number, seconds in signals:
        for pid in waiters.stack.part("gateway"):
            os.kill(pid, number)
        await asyncio.sleep(seconds)
    return await asyncio.gather(*calls)


def assert_each_told_once(waiters: Waiters, count: int) -> None:
    """Fail unless the webhook is notified of each of so many runs, and of none twice."""
    begun = until(lambda: accepted_again(waiters), lambda found: len(found) == count)
    until(lambda: waiters.told().keys() >= begun)
    asyncio.run(asyncio.sleep(FURTHER_SECONDS))
    assert waiters.told() == Counter(begun)


def promised(answers: list[httpx2.Response | None]) -> list[bool]:
    """Return of each answer whether it is a 202 that promises a delivery."""
    return [
        answer is not None
        and answer.status_code == 202
        and answer.json()["webhookDelivery"]["configured"]
        for answer in answers
    ]


@pytest.mark.F54
def test_callers_whose_gateway_was_killed_are_told_once(waiters: Waiters) -> None:
    got = asyncio.run(call_and_signal(waiters, [4.0] * 50, (signal.SIGKILL, 0)))

    assert got == [None] * 50
    assert_each_told_once(waiters, 50)


@pytest.mark.F54
def test_callers_whose_gateway_is_stopped_are_promised_a_delivery(waiters: Waiters) -> None:
    got = asyncio.run(call_and_signal(waiters, [4.0] * 20, (signal.SIGTERM, 0)))

    assert promised(got) == [True] * 20
    assert_each_told_once(waiters, 20)


@pytest.mark.F54
@pytest.mark.thorough
def test_callers_of_a_gateway_that_stood_still_are_told_once(waiters: Waiters) -> None:
    pauses = [4.0] * 10 + [13.0] * 10
    stop = (signal.SIGSTOP, 4 * LEASE_SECONDS), (signal.SIGCONT, 0.0)
    got = asyncio.run(call_and_signal(waiters, pauses, *stop))

    assert promised(got) == [True] * 20
    assert_each_told_once(waiters, 20)


async def lose_gateways_under_load(waiters: Waiters) -> tuple[dict[str, float], float]:
    """Run small runs again and again until the gateways are killed.

    Return the times of the answers by execution, and that of the kill.
    """
    answered: dict[str, float] = {}

    async def run_again_and_again(client: httpx2.AsyncClient) -> None:
        while True:
            try:
                answer = await client.post(waiters.path, json={"inputs": {"name": "Eve"}})
            except httpx2.TransportError:
                return
            answered[answer.json()["executionId"]] = time.monotonic()
            await asyncio.sleep(0.05)

    async with waiters.client() as client:
        calls = [asyncio.create_task(run_again_and_again(client)) for _ in range(AT_ONCE)]
        await asyncio.sleep(5.0)
        killed = time.monotonic()
        for pid in waiters.stack.part("gateway"):
            os.kill(pid, signal.SIGKILL)
        await asyncio.gather(*calls)
    return answered, killed


def all_accepted(waiters: Waiters) -> set[str]:
    """Return the ids of all executions of the account."""
    found, path = set[str](), "/api/executions?limit=200"
    while path:
        page = waiters.caller.get(path).json()
        found |= {row["executionId"] for row in page["rows"]}
        cursor = page["nextCursor"]
        path = f"/api/executions?limit=200&cursor={cursor}" if cursor else ""
    return found


@pytest.mark.thorough
def test_under_load_only_answers_just_before_the_death_are_told_again(waiters: Waiters) -> None:
    waiters.path = f"/api/workflows/{waiters.caller.save(greeting())}/run"
    answered, killed = asyncio.run(lose_gateways_under_load(waiters))
    until(lambda: accepted_again(waiters))
    begun = all_accepted(waiters)
    lost = begun - answered.keys()
    until(lambda: waiters.told().keys() >= lost)
    asyncio.run(asyncio.sleep(LEASE_SECONDS + FURTHER_SECONDS))

    told = waiters.told()
    again = [killed - answered[each] for each in told if each in answered]
    print(f"{len(begun)} runs, {len(lost)} not answered, {len(again)} told again", end=": ")
    print(f"answered up to {max(again, default=0):.2f} s before the death")
    assert len(begun) > 200
    assert set(told.values()) == {1}
    assert max(again, default=0) < ANSWERED_AGAIN_SECONDS
