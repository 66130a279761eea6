"""Batches that only the history has, over HTTP: each answer is the one of before."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from engine.history.database.connections import Database
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.redis import batch_keys, keyspace
from tests.support.eventually import eventually
from tests.support.gateway.documents import NAME_FIELD, edge, node
from tests.support.history.archived import History
from tests.support.store.ended_batches import EndingBatches
from workers.main import worker

PICKY = {
    "name": "Picky",
    "nodes": [
        node("in", "requestInput", fields=[NAME_FIELD]),
        node("check", "transform", expression="value == 'bad' ? int(value) : 7"),
        node("out", "responseOutput"),
    ],
    "edges": [
        edge("in", "name", "check", "value-in"),
        edge("check", "value-out", "out", "result-in"),
    ],
}
NAMES = ("Ada", "bad", "Eve", "bad")


@pytest.fixture
def settings(settings: Settings, database_url: str) -> Settings:
    return replace(settings, database_url=database_url)


@pytest.fixture(autouse=True)
async def a_worker_runs(settings: Settings, client: httpx2.AsyncClient) -> AsyncIterator[None]:
    assert (await client.post("/api/workflows", json=PICKY)).status_code == 201
    async with worker(settings):
        yield


async def answers(client: httpx2.AsyncClient, batch_id: str) -> list[tuple[int, Any]]:
    """Return status and body of every read of a batch."""
    path = f"/api/batches/{batch_id}"
    paths = (path, "/api/batches", f"{path}/items", f"{path}/items?limit=2")
    queries = ("status=failed", "status=completed&limit=1", "cursor=2")
    reads = [await client.get(each) for each in (*paths, *(f"{path}/items?{q}" for q in queries))]
    return [(answer.status_code, answer.json()) for answer in reads]


async def ended(client: httpx2.AsyncClient, store: Store, account: Account, batch_id: str) -> Any:
    """Return a batch once it is over and settled."""

    async def read() -> Any:
        is_open = await store.client.send("ZSCORE", batch_keys.open_batches(account.id), batch_id)
        found = (await client.get(f"/api/batches/{batch_id}")).json()
        return found if found["completedAt"] and is_open is None else None

    return await eventually(read)


async def test_a_batch_is_read_and_retried_from_the_history(
    client: httpx2.AsyncClient, store: Store, account: Account, database: Database
) -> None:
    body = {"items": [{"inputs": {"name": name}} for name in NAMES], "tags": ["t"]}
    started = await client.post("/api/workflows/picky/batch", json=body)
    batch_id = started.json()["batchId"]
    await ended(client, store, account, batch_id)
    before = await answers(client, batch_id)
    executions = [row["executionId"] for row in before[2][1]["rows"]]

    await History(store, database).move(
        *(keyspace.reference(account.id, each) for each in executions)
    )
    await EndingBatches(store, account.id).move(database, keyspace.reference(account.id, batch_id))

    assert not await store.client.send("EXISTS", batch_keys.batch(account.id, batch_id))
    assert await answers(client, batch_id) == before
    cancelled = await client.post(f"/api/batches/{batch_id}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (202, "completed")
    retried = [await client.post(f"/api/batches/{batch_id}/retry") for _ in range(2)]
    assert [answer.status_code for answer in retried] == [202, 202]
    assert retried[0].content == retried[1].content
    assert retried[0].json()["items"] == NAMES.count("bad")
    again = await ended(client, store, account, retried[0].json()["batchId"])
    assert (again["counts"]["failed"], again["tags"]) == (2, ["t"])
