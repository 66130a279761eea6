"""Runs are refused while too many hints wait for workers."""

import asyncio
from typing import Any

import httpx2
import pytest

from engine.errors import QueueFull
from engine.settings import Settings
from engine.store import Store
from engine.store.redis import process_keys
from gateway.admission.backlog import Backlog
from tests.gateway.conftest import MakeClient
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.gateway.documents import greeting
from tests.support.gateway.fake_worker import FakeWorker

RUN = "/api/workflows/greeting/run?async=true"
LIMIT = 3


@pytest.fixture
def settings(redis_url: str) -> Settings:
    return Settings(redis_url=redis_url, max_queue=LIMIT)


async def run(client: httpx2.AsyncClient) -> httpx2.Response:
    return await client.post(RUN, json={"inputs": {"name": "Eve"}})


async def test_a_queue_over_its_limit_refuses_runs_until_it_is_shorter(
    client: httpx2.AsyncClient, make_client: MakeClient, worker: FakeWorker, store: Store
) -> None:
    worker.is_idle = True
    await client.post("/api/workflows", json=greeting())
    for _ in range(LIMIT):
        assert (await run(client)).status_code == 202

    async def refused() -> httpx2.Response | None:
        answer = await run(client)
        return answer if answer.status_code == 503 else None

    answer: Any = await eventually(refused)
    assert answer.json()["code"] == "UNAVAILABLE"
    assert answer.headers["retry-after"] == "2"
    assert (await client.get("/api/executions")).status_code == 200
    worker.is_idle = False
    await eventually(lambda: run(client), lambda answer: answer.status_code == 202)


async def test_the_queue_is_full_when_as_many_wait_as_the_limit_says(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.admission.backlog.POLL_SECONDS", 0.01)
    backlog = Backlog(store.hints, LIMIT)
    watching = asyncio.create_task(backlog.watch())

    async def is_full() -> bool:
        try:
            backlog.check()
        except QueueFull:
            return True
        return False

    await store.hints.send(f"acc/{number}" for number in range(LIMIT))
    await eventually(is_full)
    await store.client.send("LPOP", process_keys.hints("walk"))
    await eventually(is_full, lambda full: not full)

    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_there_need_be_no_limit(redis_url: str, store: Store) -> None:
    backlog = Backlog(store.hints, 0)
    await store.hints.send(f"acc/{number}" for number in range(10))

    await asyncio.wait_for(backlog.watch(), timeout=PATIENCE_SECONDS)

    backlog.check()


async def test_a_store_that_is_away_ends_no_watch(store: Store) -> None:
    away = Store.open(Settings(redis_url="unix:///nowhere/at/all.sock"))
    watching = asyncio.create_task(Backlog(away.hints, 1).watch())

    await asyncio.sleep(0.05)

    assert not watching.done()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await away.close()
