"""Speculative authorization: a run is accepted in the round trip that authorizes it."""

import httpx2
import pytest

from engine.access.capabilities import Tier
from engine.ids.partitions import partition_of
from engine.store import Account, Store
from engine.store.redis import keyspace
from gateway.http.middleware import SlowBody
from gateway.services import GatewayRequest
from tests.support.gateway.documents import greeting
from tests.support.gateway.fake_worker import FakeWorker

RUN = "/api/workflows/greeting/run"
ASK = {"inputs": {"name": "Eve"}}


@pytest.fixture(autouse=True)
async def known(client: httpx2.AsyncClient, worker: FakeWorker) -> None:
    """Let the gateway see the key before, so that it authorizes speculatively."""
    await client.post("/api/workflows", json=greeting())
    assert (await client.post(RUN, json=ASK)).status_code == 200


async def accepted(store: Store, account: Account) -> int:
    return int(await store.client.send("ZCARD", keyspace.account_executions(account.id)))


async def windows(store: Store, account: Account) -> list[bytes]:
    """Return the account's rate windows of runs."""
    key = keyspace.windows(partition_of(account.id))
    found = await store.client.send("HGETALL", key)
    return [window for name, window in found.items() if name.endswith(b"|workflows/run")]


async def test_a_call_is_accepted_and_counted_once(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    answer = await client.post(RUN, json=ASK)

    assert answer.status_code == 200
    assert answer.headers["x-ratelimit-remaining"] == "98"
    assert await accepted(store, account) == 2
    [window] = await windows(store, account)
    assert window.endswith(b":2")


async def test_a_key_that_was_deleted_since_starts_nothing(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    [key] = await store.api_keys.list(account.id)
    await store.api_keys.revoke(key.id)

    answer = await client.post(RUN, json=ASK)

    assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"})
    assert await accepted(store, account) == 1


async def test_an_account_whose_tier_has_sunk_since_starts_nothing(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    await store.accounts.set_tier(account.id, Tier.FREE)

    answer = await client.post(RUN, json=ASK)

    assert (answer.status_code, answer.json()["code"]) == (403, "API_KEY_ACCESS_DENIED")
    assert await accepted(store, account) == 1


async def test_an_account_that_rose_since_is_served_as_what_it_is_now(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    await store.accounts.set_tier(account.id, Tier.BUSINESS)

    answer = await client.post(RUN, json=ASK)

    assert answer.status_code == 200
    assert answer.headers["x-ratelimit-limit"] == "1000"
    assert await accepted(store, account) == 2


async def test_bad_input_is_told_apart_from_a_bad_key(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    with_key = await client.post(RUN, content=b"{", headers={"content-type": "application/json"})
    [key] = await store.api_keys.list(account.id)
    await store.api_keys.revoke(key.id)
    without = await client.post(RUN, content=b"{", headers={"content-type": "application/json"})

    assert (with_key.status_code, with_key.headers["x-ratelimit-remaining"]) == (400, "98")
    assert without.status_code == 401


@pytest.mark.parametrize(("error", "status"), [(SlowBody(), 408), (ValueError("bug"), 500)])
async def test_a_call_that_cannot_be_handled_is_counted_and_told_so(
    client: httpx2.AsyncClient,
    store: Store,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
) -> None:
    async def fail(_: GatewayRequest) -> bytes:
        raise error

    monkeypatch.setattr("gateway.runs.request.read_json", fail)

    answer = await client.post(RUN, json=ASK)

    assert answer.status_code == status
    assert answer.headers["x-ratelimit-remaining"] == "98"
    [window] = await windows(store, account)
    assert window.endswith(b":2")


async def test_a_call_beyond_the_limit_starts_nothing(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    key, partition = "workflows/run", partition_of(account.id)
    [window] = await windows(store, account)
    full = window.partition(b":")[0] + b":100"
    await store.client.send("HSET", keyspace.windows(partition), f"{account.id}|{key}", full)

    answer = await client.post(RUN, json=ASK)

    assert (answer.status_code, answer.json()["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert await accepted(store, account) == 1
    assert await windows(store, account) == [full]


async def test_a_run_that_begins_on_its_second_try_is_counted_once(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    workflow = await store.workflows.get("greeting")
    await store.workflows.update(account.id, "greeting", workflow.document, [])

    answer = await client.post(RUN, json=ASK)  # of the version that the gateway knows

    assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (200, "98")
    assert await accepted(store, account) == 2
