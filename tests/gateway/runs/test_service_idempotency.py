"""A repeated request with its Idempotency-Key runs once and gets the same answer."""

import asyncio
from typing import Any

import httpx2
import pytest

from engine.ids.idempotency import make_idempotency_key
from engine.store import Account, Store
from engine.store.executions.acceptance import IDEMPOTENCY_MS
from engine.store.redis import keyspace
from tests.gateway.conftest import MakeClient
from tests.support.eventually import eventually
from tests.support.gateway.documents import greeting
from tests.support.gateway.fake_worker import FakeWorker

PATH = "/api/workflows/greeting/run"
ASYNC = f"{PATH}?async=true"
KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
EVE = b'{"inputs": {"name": "Eve"}}'


@pytest.fixture(autouse=True)
async def greeting_is_saved(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/api/workflows", json=greeting())).status_code == 201


async def run(
    client: httpx2.AsyncClient, path: str = PATH, *, key: str = KEY, body: bytes = EVE
) -> httpx2.Response:
    headers = {"idempotency-key": key, "content-type": "application/json"}
    return await client.post(path, content=body, headers=headers)


async def rows(client: httpx2.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get("/api/executions")).json()["rows"]
    return found


def record(account: Account, path: str = PATH) -> str:
    return keyspace.idempotency(account.id, make_idempotency_key("POST", path, KEY, b"").digest)


def is_replay(answer: httpx2.Response) -> bool:
    return answer.headers.get("idempotent-replayed") == "true"


async def test_a_cancelled_run_is_given_again_too(client: httpx2.AsyncClient) -> None:
    waiting = asyncio.create_task(run(client))
    [row] = await eventually(lambda: rows(client))
    await client.post(f"/api/executions/{row['executionId']}/cancel")
    first = await waiting

    again = await run(client)

    assert (first.status_code, again.status_code) == (409, 409)
    assert again.json() == first.json()
    assert again.json()["code"] == "EXECUTION_CANCELLED"
    assert is_replay(again)


@pytest.mark.A34
@pytest.mark.parametrize("body", [b'{"inputs": {"name": "Bob"}}', EVE + b" ", b'{"inputs": {}}'])
async def test_another_body_under_the_same_key_is_refused(
    client: httpx2.AsyncClient, body: bytes
) -> None:
    await run(client, ASYNC)

    answer = await run(client, ASYNC, body=body)

    assert answer.status_code == 422
    assert answer.json()["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert not is_replay(answer)
    assert len(await rows(client)) == 1


async def test_all_keys_of_an_account_share_its_idempotency_keys(
    client: httpx2.AsyncClient, make_client: MakeClient, store: Store, account: Account
) -> None:
    _, secret = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])

    first = await run(client, ASYNC)
    again = await run(await make_client(secret), ASYNC)

    assert is_replay(again)
    assert again.content == first.content


@pytest.mark.A35
async def test_while_the_first_is_under_way_others_are_told_to_wait(
    client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    worker.is_idle = True
    waiting = asyncio.create_task(run(client))
    [row] = await eventually(lambda: rows(client))

    early = await run(client)
    worker.is_idle = False
    first, late = await waiting, await run(client)

    assert early.status_code == 409
    assert early.json()["code"] == "IDEMPOTENCY_KEY_IN_USE"
    assert early.json()["executionId"] == row["executionId"]
    assert early.headers["retry-after"] == "1"
    assert not is_replay(early)
    assert late.content == first.content
    assert is_replay(late)


@pytest.mark.A35
async def test_two_keys_are_none(client: httpx2.AsyncClient) -> None:
    headers = [("idempotency-key", "a"), ("idempotency-key", "b")]
    headers.append(("content-type", "application/json"))

    answer = await client.post(PATH, content=EVE, headers=headers)

    assert answer.json()["code"] == "INVALID_IDEMPOTENCY_KEY"


async def test_a_workflow_that_is_gone_does_not_change_what_was_answered(
    client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    first = await run(client)
    await client.delete("/api/workflows/greeting")

    again = await run(client)
    other_body = await run(client, body=b'{"inputs": {}}')
    other_key = await run(client, key="other")

    assert again.content == first.content
    assert is_replay(again)
    assert other_body.status_code == 422
    assert other_key.status_code == 404


async def test_an_answer_that_was_never_given_is_made_from_the_record(
    client: httpx2.AsyncClient, store: Store, account: Account, worker: FakeWorker
) -> None:
    """The gateway died before it could answer."""
    first = await run(client)
    await store.client.send("HDEL", record(account), "answer")

    again = [await run(client) for _ in range(2)]

    assert again[0].content == again[1].content
    body = again[0].json()
    assert isinstance(body.pop("ms"), int)
    assert body == {name: value for name, value in first.json().items() if name != "ms"}
    assert all(is_replay(answer) for answer in again)


async def test_a_caller_that_hung_up_gets_the_same_run(
    client: httpx2.AsyncClient, make_client: MakeClient, api_key: str, worker: FakeWorker
) -> None:
    worker.is_idle = True
    impatient = await make_client(api_key)
    lost = asyncio.create_task(run(impatient))
    [row] = await eventually(lambda: rows(client))
    lost.cancel()
    await asyncio.gather(lost, return_exceptions=True)
    await impatient.aclose()
    worker.is_idle = False

    async def again() -> httpx2.Response:
        return await run(client)

    answer = await eventually(again, lambda answer: answer.status_code != 409)
    assert answer.status_code == 200
    assert answer.json()["executionId"] == row["executionId"]
    assert is_replay(answer)


@pytest.mark.A35
async def test_a_key_is_free_again_after_a_day(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    first = await run(client, ASYNC)
    left = await store.client.send("PTTL", record(account))
    await store.client.send("DEL", record(account))

    fresh = await run(client, ASYNC)

    assert IDEMPOTENCY_MS - 60_000 < left <= IDEMPOTENCY_MS == 86_400_000
    assert not is_replay(fresh)
    assert fresh.json()["executionId"] != first.json()["executionId"]


async def test_an_answer_comes_late_for_a_record_that_is_gone(
    store: Store, account: Account
) -> None:
    idempotency_key = make_idempotency_key("POST", PATH, KEY, EVE)

    assert await store.acceptance.record_answer(account.id, idempotency_key, "7") == "7"
    assert not await store.client.send("EXISTS", record(account))
