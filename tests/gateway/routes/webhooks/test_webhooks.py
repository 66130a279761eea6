"""Webhooks and deliveries over HTTP, with a real worker and a real receiver."""

import httpx2
import pytest

from engine.access.sealing import Sealer, is_sealed
from engine.graph.document import parse_document
from engine.settings import Settings
from engine.store import Account, ApiKey, Store
from engine.store.redis import keyspace
from engine.store.webhooks import delivery_reads
from engine.store.webhooks.webhooks import secret_place
from tests.gateway.conftest import MakeClient
from tests.support.gateway.documents import greeting

OWN = "a secret of the owner's own"
CAPABILITIES = ["workflow:run", "webhook:receive"]


@pytest.fixture
async def key(store: Store, account: Account) -> tuple[ApiKey, str]:
    return await store.api_keys.create(account, name="hooked", capabilities=CAPABILITIES)


@pytest.fixture
def path(key: tuple[ApiKey, str]) -> str:
    return f"/api/api-keys/{key[0].id}/webhook"


async def slug_of(store: Store, account: Account) -> str:
    workflow = await store.workflows.create(account.id, parse_document(greeting()), [])
    return workflow.slug


async def test_a_secret_of_the_owners_own_is_never_shown_and_stays_until_another_is_set(
    browser: httpx2.AsyncClient, path: str, store: Store, account: Account, settings: Settings
) -> None:
    url = "http://hooks.example.com/in"
    first = await browser.put(path, json={"url": url, "secret": OWN})
    again = await browser.put(path, json={"url": url, "enabled": False})
    made = await browser.put(path, json={"url": url, "secret": None})
    [name] = await store.client.send("KEYS", "*}:webhook:*")

    assert "secret" not in first.json()
    assert again.json()["enabled"] is False
    assert "secret" not in again.json()
    assert made.json()["secret"].startswith("whsec_")
    record = await store.client.send("HMGET", name, "secret", "previous_secret")
    place = secret_place(account.id, path.split("/")[3])
    opened = [Sealer.from_secret_key(settings.secret_key).open(kept, place) for kept in record]
    assert opened == [made.json()["secret"], OWN]
    assert all(is_sealed(kept) for kept in record)
    assert all(OWN not in answer.text for answer in (first, again, made, await browser.get(path)))


async def test_an_asynchronous_run_says_where_its_end_will_be_told(
    browser: httpx2.AsyncClient,
    path: str,
    key: tuple[ApiKey, str],
    make_client: MakeClient,
    store: Store,
    account: Account,
) -> None:
    run = f"/api/workflows/{await slug_of(store, account)}/run"
    client = await make_client(key[1])
    body = {"inputs": {"name": "Ada"}}
    url = "http://hooks.example.com/in"

    without = await client.post(run, params={"async": "true"}, json=body)
    await browser.put(path, json={"url": url})
    headers = {"idempotency-key": "once"}
    first = await client.post(run, params={"async": "true"}, json=body, headers=headers)
    await browser.put(path, json={"url": url, "enabled": False})
    disabled = await client.post(run, params={"async": "true"}, json=body)
    again = await client.post(run, params={"async": "true"}, json=body, headers=headers)
    timed_out = await client.post(run, params={"timeout": "0"}, json=body)

    assert first.status_code == 202
    assert first.json()["webhookDelivery"] == {"configured": True, "url": url}
    assert again.json() == first.json()
    for answer in (without, disabled, timed_out):
        assert answer.json()["webhookDelivery"] == {"configured": False}


async def test_a_key_without_the_capability_delivers_nothing(
    store: Store, account: Account, make_client: MakeClient
) -> None:
    key, secret = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])
    await store.webhooks.save(account.id, key.id, url="http://example.com")
    client = await make_client(secret)

    answer = await client.post(
        f"/api/workflows/{await slug_of(store, account)}/run",
        params={"async": "true"},
        json={"inputs": {"name": "Ada"}},
    )

    assert answer.json()["webhookDelivery"] == {"configured": False}


async def test_a_disabled_webhook_is_neither_tested_nor_redelivered_to(
    browser: httpx2.AsyncClient, path: str
) -> None:
    await browser.put(path, json={"url": "http://example.com"})
    delivery = (await browser.post(f"{path}/test")).json()
    await browser.put(path, json={"url": "http://example.com", "enabled": False})

    tested = await browser.post(f"{path}/test")
    again = await browser.post(f"{path}/deliveries/{delivery['id']}/redeliver")
    unknown = await browser.post(f"{path}/deliveries/nothing/redeliver")
    since = {"since": "2001-01-01T00:00:00Z"}
    every = await browser.post(f"{path}/redeliver", json=since)

    for answer in (tested, again, every):
        assert (answer.status_code, answer.json()["field"]) == (400, "enabled")
    assert unknown.status_code == 404


@pytest.fixture
async def settled(
    browser: httpx2.AsyncClient, path: str, store: Store, account: Account
) -> dict[str, list[str]]:
    """Return the ids of two deliveries of each status, oldest first."""
    await browser.put(path, json={"url": "http://example.com"})
    ids: dict[str, list[str]] = {}
    for status in ("failed", "delivered", "pending") * 2:
        made = (await browser.post(f"{path}/test")).json()["id"]
        key = keyspace.delivery(account.id, made)
        await store.client.send("HSET", key, "status", status)
        ids.setdefault(status, []).append(made)
    return ids


async def test_a_page_by_status_ends_after_so_many_deliveries(
    browser: httpx2.AsyncClient,
    path: str,
    settled: dict[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivery_reads, "EXAMINED_AT_ONCE", 2)
    query: dict[str, str] = {"status": "failed"}
    found: list[str] = []

    for _ in range(3):
        page = (await browser.get(f"{path}/deliveries", params=query)).json()
        found += [row["id"] for row in page["rows"]]
        query["cursor"] = page["nextCursor"]

    assert found == settled["failed"][::-1]
    assert page["nextCursor"] is None


async def test_deliveries_since_a_time_are_sent_again(
    browser: httpx2.AsyncClient, path: str, settled: dict[str, list[str]]
) -> None:
    body = {"since": "2001-01-01T00:00:00Z"}

    failed = await browser.post(f"{path}/redeliver", json=body | {"status": "failed"})
    after = (await browser.get(f"{path}/deliveries")).json()["rows"]
    every = await browser.post(f"{path}/redeliver", json=body)
    late = await browser.post(f"{path}/redeliver", json={"since": "2100-01-01T00:00:00Z"})

    assert failed.status_code == 202
    assert failed.json() == {"redelivered": 2, "more": False, "nextSince": None}
    statuses = {row["id"]: row["status"] for row in after}
    assert {statuses[each] for each in settled["failed"]} == {"pending"}
    assert {statuses[each] for each in settled["delivered"]} == {"delivered"}
    assert every.json()["redelivered"] == 6
    assert late.json()["redelivered"] == 0
