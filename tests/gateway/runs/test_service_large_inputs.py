"""Runs with large inputs over HTTP: their answers, and cleanup after refused ones."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import obstore
import pytest

from engine.access.capabilities import Tier
from engine.ids.partitions import partition_of
from engine.media.objects import ObjectStore
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.executions.offload import OFFLOAD_FROM_BYTES
from engine.store.redis import keyspace
from tests.support.gateway.documents import edge, node
from tests.support.media.faulty_blob_stores import shorten_pauses
from workers.main import worker as real_worker

STORED = obstore.put_async
RUN = "/api/workflows/sized/run"
SIZE = 300_000
ASK = {"inputs": {"text": "x" * SIZE}}
BODY = json.dumps(ASK).encode()
SIZED = {
    "name": "Sized",
    "nodes": [
        node("in", "requestInput", fields=[{"name": "text", "type": "text"}]),
        node("size", "transform", expression="size(value)"),
        node("out", "responseOutput"),
    ],
    "edges": [
        edge("in", "text", "size", "value-in"),
        edge("size", "value-out", "out", "result-in"),
    ],
}


@pytest.fixture(autouse=True)
async def known(client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Save the workflow and let the gateway see the key, so that it authorizes speculatively."""
    shorten_pauses(monkeypatch)
    assert (await client.post("/api/workflows", json=SIZED)).status_code == 201
    payload = {"inputs": {"text": "x"}}
    assert (await client.post(f"{RUN}?async=true", json=payload)).status_code == 202


@pytest.fixture
async def works(settings: Settings) -> AsyncIterator[None]:
    async with real_worker(settings):
        yield


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the written objects."""
    write, keys = ObjectStore.write, []

    async def noted(self: ObjectStore, key: str, data: bytes) -> None:
        keys.append(key)
        await write(self, key, data)

    monkeypatch.setattr(ObjectStore, "write", noted)
    return keys


@pytest.fixture
def break_storing(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def breaks() -> None:
        async def fails(*_: Any, **__: Any) -> None:
            raise OSError("the disk's")

        monkeypatch.setattr("obstore.put_async", fails)

    return breaks


async def pieces() -> AsyncIterator[bytes]:
    for start in range(0, len(BODY), 65_536):
        yield BODY[start : start + 65_536]


BODIES: dict[str, Callable[[], dict[str, Any]]] = {
    "of a known length": lambda: {"content": BODY},
    "in pieces": lambda: {"content": pieces()},
}
JSON = {"content-type": "application/json"}
every_body = pytest.mark.parametrize("body", BODIES)


async def accepted(store: Store, account: Account) -> int:
    return int(await store.client.send("ZCARD", keyspace.account_executions(account.id)))


@every_body
@pytest.mark.usefixtures("works")
async def test_who_waits_is_answered_as_ever(
    client: httpx2.AsyncClient, store: Store, account: Account, written: list[str], body: str
) -> None:
    answer = await client.post(RUN, headers=JSON, **BODIES[body]())

    assert (answer.status_code, answer.json()["result"]) == (200, SIZE)
    assert answer.headers["x-ratelimit-remaining"] == "98"
    assert await accepted(store, account) == 2
    assert [key.split("/")[2] for key in written] == [answer.json()["executionId"]]


@pytest.mark.usefixtures("works")
async def test_who_watches_and_a_browser_are_answered_as_ever(
    client: httpx2.AsyncClient, browser: httpx2.AsyncClient
) -> None:
    reported = await client.post(RUN, json=ASK, headers={"accept": "text/event-stream"})
    observed = await browser.post(RUN, json=ASK)

    assert f'"result":{SIZE}' in reported.text
    assert observed.json()["result"] == SIZE


@every_body
async def test_nothing_is_stored_for_a_key_that_was_deleted_since(
    client: httpx2.AsyncClient, store: Store, account: Account, written: list[str], body: str
) -> None:
    [key] = await store.api_keys.list(account.id)
    await store.api_keys.revoke(key.id)

    answer = await client.post(RUN, headers=JSON, **BODIES[body]())

    assert answer.status_code == 401
    assert written == []


@every_body
async def test_nothing_is_stored_for_a_call_beyond_the_rate(
    client: httpx2.AsyncClient, store: Store, account: Account, written: list[str], body: str
) -> None:
    await store.accounts.set_tier(account.id, Tier.PRO)
    key = keyspace.windows(partition_of(account.id))
    for name, window in (await store.client.send("HGETALL", key)).items():
        if name.endswith(b"|workflows/run"):
            await store.client.send("HSET", key, name, window.partition(b":")[0] + b":100")

    answer = await client.post(RUN, headers=JSON, **BODIES[body]())

    assert answer.status_code == 429
    assert written == []


async def test_while_the_place_is_away_large_runs_are_503_and_small_ones_go_on(
    client: httpx2.AsyncClient,
    store: Store,
    account: Account,
    break_storing: Callable[[], None],
) -> None:
    break_storing()

    large = await client.post(f"{RUN}?async=true", json=ASK)
    small = await client.post(f"{RUN}?async=true", json={"inputs": {"text": "x"}})

    assert (large.status_code, large.json()["code"]) == (503, "UNAVAILABLE")
    assert large.headers["retry-after"]
    assert small.status_code == 202
    assert await accepted(store, account) == 2


@pytest.mark.usefixtures("works")
async def test_a_call_that_was_not_stored_may_be_made_again_and_is_then_answered_alike(
    client: httpx2.AsyncClient,
    store: Store,
    account: Account,
    break_storing: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = {"idempotency-key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
    break_storing()
    refused = await client.post(RUN, json=ASK, headers=key)
    monkeypatch.setattr("obstore.put_async", STORED)

    first = await client.post(RUN, json=ASK, headers=key)
    break_storing()
    again = await client.post(RUN, json=ASK, headers=key)
    other = {"inputs": {"text": "y" * SIZE}}
    reused = await client.post(RUN, json=other, headers=key)

    assert (refused.status_code, first.status_code) == (503, 200)
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert reused.status_code == 422
    assert await accepted(store, account) == 2


async def test_inputs_that_are_gone_are_told_as_a_result_is_that_is_gone(
    client: httpx2.AsyncClient, settings: Settings
) -> None:
    begun = await client.post(f"{RUN}?async=true", json=ASK)
    execution_id = begun.json()["executionId"]
    folder = Path(settings.media_url.removeprefix("file://"))
    [file] = folder.glob(f"outputs/*/{execution_id}/*")
    file.unlink()

    async with real_worker(settings):
        answer = await client.get(f"/api/executions/{execution_id}")
        while answer.json()["status"] == "processing":
            answer = await client.get(f"/api/executions/{execution_id}")

    assert answer.json()["status"] == "failed"
    assert answer.json()["error"]["code"] == "INTERNAL_ERROR"
    assert "inputs of this execution are not there" in answer.json()["error"]["message"]


async def test_inputs_that_are_larger_on_record_than_in_the_body_are_accepted(
    client: httpx2.AsyncClient, written: list[str]
) -> None:
    """The gateway finds out after it has begun to work for the key's last known owner."""
    fields = [{"name": "numbers", "type": "json"}]
    nodes = [node("in", "requestInput", fields=fields), *SIZED["nodes"][1:]]
    edges = [edge("in", "numbers", "size", "value-in"), SIZED["edges"][1]]
    document = {"name": "Numbers", "nodes": nodes, "edges": edges}
    assert (await client.post("/api/workflows", json=document)).status_code == 201
    body = json.dumps({"inputs": {"numbers": [1.5] * 40_000}}).encode()

    answer = await client.post(
        "/api/workflows/numbers/run?async=true",
        content=body,
        headers={"content-type": "application/json"},
    )

    assert len(body) < OFFLOAD_FROM_BYTES
    assert (answer.status_code, len(written)) == (202, 1)
