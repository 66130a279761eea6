"""Starts of batches, with no worker that begins items."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from engine.access.capabilities import Tier
from engine.store import Account, Store
from engine.store.batches import batches
from engine.store.redis import batch_keys, installation, keyspace
from gateway.admission import body_memory
from gateway.admission.request_context import RequestContext
from gateway.runs.batch_body import MAX_BYTES
from tests.gateway.conftest import MakeClient
from tests.support.eventually import eventually
from tests.support.gateway.documents import greeting

ENOUGH_SECONDS = 20
"""Rest of a window in which a hundred calls are made."""


@pytest.fixture
def account_tier() -> Tier:
    return Tier.PRO


@pytest.fixture
async def path(client: httpx2.AsyncClient) -> str:
    await client.post("/api/workflows", json=greeting())
    return "/api/workflows/greeting/batch"


def body(count: int, **members: Any) -> dict[str, Any]:
    return {"items": [{"inputs": {"name": "Ada"}}] * count, **members}


async def test_an_account_has_a_bounded_number_of_queued_items(
    client: httpx2.AsyncClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MAX_QUEUED_ITEMS", 5)

    answers = [await client.post(path, json=body(count)) for count in (3, 3, 2, 1)]

    assert [answer.status_code for answer in answers] == [202, 413, 202, 413]
    refused = answers[1].json()
    assert refused["code"] == "QUOTA_EXCEEDED"
    assert {name: refused[name] for name in ("quota", "used", "limit")} == {
        "quota": "queuedItems",
        "used": 3,
        "limit": 5,
    }
    assert len((await client.get("/api/batches")).json()["rows"]) == 2


async def test_nothing_is_started_before_the_store_is_migrated(
    client: httpx2.AsyncClient, path: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "CHECK_SECONDS", 0.02)
    done = (await client.post(path, json=body(1))).json()["batchId"]
    await store.client.send("HSET", keyspace.installation(), "schema", installation.FIRST_SCHEMA)

    async def start() -> httpx2.Response:
        return await client.post(path, json=body(1))

    answer = await eventually(start, lambda found: found.status_code == 503, pause=0.2)
    retried = await client.post(f"/api/batches/{done}/retry")

    for refused in (answer, retried):
        assert (refused.status_code, refused.json()["code"]) == (503, "UNAVAILABLE")
        assert "headrace migrate" in refused.json()["error"]
    assert (await client.get(f"/api/batches/{done}")).status_code == 200


async def test_a_call_beyond_the_window_of_runs_is_refused(
    client: httpx2.AsyncClient, path: str
) -> None:
    first = await client.post(path, json=body(1))
    left = int(first.headers["x-ratelimit-reset"]) - time.time()
    if left < ENOUGH_SECONDS:
        await asyncio.sleep(left + 1)
        first = await client.post(path, json=body(1))

    answers = await asyncio.gather(*(client.post(path, json=body(1)) for _ in range(100)))
    run = await client.post("/api/workflows/greeting/run", json={"inputs": {"name": "Ada"}})

    codes = sorted(answer.status_code for answer in (first, *answers))
    assert codes == [202] * 100 + [429]
    (refused,) = [each for each in answers if each.status_code == 429]
    assert refused.json()["code"] == "RATE_LIMIT_EXCEEDED"
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert run.status_code == 429


async def test_the_record_has_the_key_the_request_and_the_depth(
    client: httpx2.AsyncClient, path: str, store: Store, account: Account
) -> None:
    headers = {"x-request-id": "my-request", "headrace-depth": "3"}

    answer = await client.post(path, json=body(2, concurrency=7), headers=headers)

    batch = await store.batches.get(account.id, answer.json()["batchId"])
    (key,) = await store.api_keys.list(account.id)
    assert (batch.key_id, batch.concurrency) == (key.id, 7)
    record = batch_keys.batch(account.id, batch.id)
    assert await store.client.send("HMGET", record, "request", "depth") == [b"my-request", b"4"]
    too_deep = await client.post(path, json=body(1), headers={"headrace-depth": "8"})
    assert (too_deep.status_code, too_deep.json()["code"]) == (508, "LOOP_DETECTED")


async def test_a_large_batch_of_one_account_leaves_memory_to_others(
    client: httpx2.AsyncClient,
    strangers_client: httpx2.AsyncClient,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(body_memory, "WAIT_SECONDS", 0.05)
    await strangers_client.post("/api/workflows", json=greeting("Others"))
    large = body(1, x="x" * 12_000_000)

    greedy = [asyncio.create_task(client.post(path, json=large)) for _ in range(6)]
    await asyncio.sleep(0.05)
    other = await strangers_client.post(
        "/api/workflows/others/batch", json=body(1, x="x" * 12_000_000)
    )
    codes = {answer.status_code for answer in await asyncio.gather(*greedy)}

    assert other.status_code == 202
    assert codes == {202, 503}


async def test_memory_is_reserved_for_a_body_of_unknown_length(
    client: httpx2.AsyncClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    reserve = body_memory.BodyMemory.reserve

    async def note(memory: body_memory.BodyMemory, context: RequestContext, size: int) -> None:
        sizes.append(size)
        await reserve(memory, context, size)

    monkeypatch.setattr(body_memory.BodyMemory, "reserve", note)

    async def pieces() -> AsyncIterator[bytes]:
        yield json.dumps(body(1)).encode()

    answer = await client.post(path, content=pieces(), headers={"content-type": "application/json"})

    assert (answer.status_code, sizes) == (202, [MAX_BYTES])


async def test_a_batch_by_a_session_has_no_key(
    browser: httpx2.AsyncClient, path: str, store: Store, account: Account
) -> None:
    answer = await browser.post(path, json=body(1))

    batch = await store.batches.get(account.id, answer.json()["batchId"])
    assert (answer.status_code, batch.key_id, batch.webhook_url) == (202, "", None)


async def test_the_webhook_of_the_key_is_told_of_the_end(
    client: httpx2.AsyncClient,
    make_client: MakeClient,
    path: str,
    store: Store,
    account: Account,
) -> None:
    capabilities = ["workflow:run", "webhook:receive"]
    key, secret = await store.api_keys.create(account, name="told", capabilities=capabilities)
    await store.webhooks.save(account.id, key.id, url="https://example.com/hook")
    told = await make_client(secret)

    ids = [(await each.post(path, json=body(1))).json()["batchId"] for each in (told, client)]

    urls = [(await store.batches.get(account.id, each)).webhook_url for each in ids]
    assert urls == ["https://example.com/hook", None]
