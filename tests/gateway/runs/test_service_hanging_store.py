"""Runs beside large ones whose objects are stored in a place that never answers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import httpx2
import pytest

from engine.executions.statuses import ExecutionStatus
from engine.media.objects import ObjectStore
from engine.settings import Settings
from engine.store import Account, Store
from gateway.admission import fairness
from gateway.admission.fairness import MAX_BEGUN
from tests.support.eventually import eventually
from tests.support.gateway.documents import edge, node
from workers.main import worker as real_worker

SIZE = 300_000
SMALL = {"inputs": {"text": "x"}}
LARGE = {"inputs": {"text": "x" * SIZE}}
FAILED = ExecutionStatus.FAILED.__eq__
SECONDS = 4.0
"""Longest time of a small run: less than a large one waits for its objects."""
TEXT = {"name": "text", "type": "text"}
SIZED = {
    "name": "Sized",
    "nodes": [
        node("in", "requestInput", fields=[TEXT]),
        node("size", "transform", expression="size(value)"),
        node("fail", "transform", expression="value.missing"),
        node("out", "responseOutput"),
    ],
    "edges": [
        edge("in", "text", "size", "value-in"),
        edge("size", "value-out", "fail", "value-in"),
        edge("fail", "value-out", "out", "result-in"),
    ],
}


@pytest.fixture(autouse=True)
async def contended(
    client: httpx2.AsyncClient,
    strangers_client: httpx2.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Save the workflow, and have two accounts compete for the process."""
    monkeypatch.setattr(fairness, "CONTENDED_SECONDS", 300.0)
    for each, name in ((client, "Sized"), (strangers_client, "Other")):
        assert (await each.post("/api/workflows", json={**SIZED, "name": name})).status_code == 201
    for each, slug in ((client, "sized"), (strangers_client, "other")):
        answer = await each.post(f"/api/workflows/{slug}/run?async=true", json=SMALL)
        assert answer.status_code == 202


class HangingStore:
    """Calls that the place for objects does not answer before the test is over."""

    def __init__(self) -> None:
        self.calls = 0
        self.is_over = asyncio.Event()

    async def hang(self, *_: Any, **__: Any) -> None:
        self.calls += 1
        await self.is_over.wait()
        raise OSError("the test is over")

    async def count(self) -> int:
        return self.calls


@pytest.fixture
async def hanging() -> AsyncIterator[HangingStore]:
    store = HangingStore()
    yield store
    store.is_over.set()


@asynccontextmanager
async def running(calls: Sequence[Any]) -> AsyncIterator[None]:
    """Make calls beside others, and give them up afterwards."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def assert_small_runs_go_on(client: httpx2.AsyncClient) -> None:
    async with asyncio.timeout(SECONDS):
        answer = await client.post("/api/workflows/sized/run?async=true", json=SMALL)
    assert answer.status_code == 202, answer.text


async def test_large_inputs_are_stored_outside_of_the_accounts_turn(
    client: httpx2.AsyncClient, hanging: HangingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("obstore.put_async", hanging.hang)
    path = "/api/workflows/sized/run?async=true"

    async with running([client.post(path, json=LARGE) for _ in range(MAX_BEGUN + 1)]):
        await eventually(hanging.count, lambda calls: calls >= MAX_BEGUN)

        await assert_small_runs_go_on(client)


async def test_values_of_a_retry_are_read_outside_of_the_accounts_turn(
    client: httpx2.AsyncClient,
    store: Store,
    account: Account,
    settings: Settings,
    hanging: HangingStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed = []
    for _ in range(MAX_BEGUN):
        answer = await client.post("/api/workflows/sized/run?async=true", json=LARGE)
        failed.append(answer.json()["executionId"])
    async with real_worker(settings):
        for each in failed:
            await eventually(partial(store.executions.status, account.id, each), FAILED)
    monkeypatch.setattr(ObjectStore, "read", hanging.hang)

    async with running([client.post(f"/api/executions/{each}/retry") for each in failed]):
        await eventually(hanging.count, lambda calls: calls >= MAX_BEGUN)

        await assert_small_runs_go_on(client)
