"""Callers who wait for a run: what is kept of those who were refused, or have hung up."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from engine.errors import Unavailable
from engine.store import CompletionNotifier, CompletionWaiter, Principal
from engine.telemetry.metrics import REGISTRY
from gateway.auth import guard
from tests.support.eventually import eventually
from tests.support.gateway.documents import broken, greeting
from tests.support.gateway.fake_worker import FakeWorker

RUN = "/api/workflows/greeting/run"
EVE: dict[str, Any] = {"inputs": {"name": "Eve"}}
KEY = {"idempotency-key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


class Waiters:
    """Waiters of the gateway, which has one notifier."""

    def __init__(self) -> None:
        self.expected = 0
        self.kept: set[CompletionWaiter] = set()

    async def count(self) -> int:
        return len(self.kept)


@pytest.fixture
def waiters(monkeypatch: pytest.MonkeyPatch) -> Iterator[Waiters]:
    """Note the waiters that the gateway has, as they come and leave."""
    found = Waiters()
    expect, leave = CompletionNotifier.expect, CompletionNotifier.leave

    def expect_noted(self: CompletionNotifier, execution_id: str) -> CompletionWaiter:
        waiter = expect(self, execution_id)
        found.expected += 1
        found.kept.add(waiter)
        return waiter

    def leave_noted(self: CompletionNotifier, waiter: CompletionWaiter) -> None:
        leave(self, waiter)
        found.kept.discard(waiter)

    monkeypatch.setattr(CompletionNotifier, "expect", expect_noted)
    monkeypatch.setattr(CompletionNotifier, "leave", leave_noted)
    yield found


async def callers_waiting() -> float | None:
    return REGISTRY.get_sample_value("headrace_callers_waiting")


@pytest.fixture(autouse=True)
async def saved(client: httpx2.AsyncClient) -> None:
    for document in (greeting(), broken(draft=True)):
        assert (await client.post("/api/workflows", json=document)).status_code == 201


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (RUN, {"inputs": {"name": 5}}, 400),
        ("/api/workflows/broken/run", EVE, 409),
        ("/api/workflows/no-such/run", EVE, 404),
    ],
)
async def test_a_refused_run_leaves_no_waiter(
    client: httpx2.AsyncClient, waiters: Waiters, path: str, body: Any, status: int
) -> None:
    for _ in range(3):
        answer = await client.post(path, json=body)
        assert answer.status_code == status

    assert waiters.expected == 3
    assert waiters.kept == set()


async def test_an_answered_run_leaves_no_waiter(
    client: httpx2.AsyncClient, waiters: Waiters, worker: FakeWorker
) -> None:
    assert (await client.post(RUN, json=EVE)).status_code == 200

    assert waiters.expected == 1
    assert waiters.kept == set()


async def test_a_repeated_call_leaves_no_waiter(
    client: httpx2.AsyncClient, waiters: Waiters, worker: FakeWorker
) -> None:
    answers = [await client.post(RUN, json=EVE, headers=KEY) for _ in range(2)]

    assert answers[1].headers["idempotent-replayed"] == "true"
    assert waiters.expected == 2
    assert waiters.kept == set()


async def test_a_caller_that_hung_up_gets_the_result_when_it_calls_again(
    client: httpx2.AsyncClient, waiters: Waiters, worker: FakeWorker
) -> None:
    worker.is_idle = True
    hanging = asyncio.create_task(client.post(RUN, json=EVE, headers=KEY))
    await eventually(waiters.count)
    await eventually(callers_waiting, lambda count: count == 1)
    hanging.cancel()
    await eventually(waiters.count, lambda count: count == 0)
    assert await callers_waiting() == 0

    worker.is_idle = False
    answer = await eventually(
        lambda: client.post(RUN, json=EVE, headers=KEY), lambda each: each.status_code != 409
    )

    assert answer.status_code == 200
    assert answer.json()["result"] == {"text": "Eve"}
    assert answer.headers["idempotent-replayed"] == "true"


async def test_a_run_whose_caller_cannot_be_confirmed_leaves_no_waiter(
    client: httpx2.AsyncClient,
    worker: FakeWorker,
    waiters: Waiters,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (await client.post(RUN, json=EVE)).status_code == 200  # the key is known now

    async def fail(*_: object) -> Principal:
        raise Unavailable

    monkeypatch.setattr(guard, "confirm", fail)

    assert (await client.post(RUN, json=EVE)).status_code == 503
    assert waiters.expected == 2
    assert waiters.kept == set()
