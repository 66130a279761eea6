"""Webhooks and deliveries over HTTP, with a real worker and a real receiver."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from engine.access.sealing import Sealer, is_sealed
from engine.graph.document import parse_document
from engine.settings import Settings
from engine.store import Account, ApiKey, Store
from engine.store.redis import keyspace
from engine.store.webhooks import delivery_reads
from engine.store.webhooks.webhooks import secret_place
from tests.gateway.conftest import MakeBrowser, MakeClient
from tests.support.eventually import eventually
from tests.support.gateway.documents import greeting
from tests.support.http.signature_verifier import is_knouds_signed
from tests.support.http.webhook_receivers import Receiver, receiving
from workers.main import worker

OWN = "a secret of the owner's own"
CAPABILITIES = ["workflow:run", "webhook:receive"]


@pytest.fixture
async def key(store: Store, account: Account) -> tuple[ApiKey, str]:
    return await store.api_keys.create(account, name="hooked", capabilities=CAPABILITIES)


@pytest.fixture
def path(key: tuple[ApiKey, str]) -> str:
    return f"/api/api-keys/{key[0].id}/webhook"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def slug_of(store: Store, account: Account) -> str:
    workflow = await store.workflows.create(account.id, parse_document(greeting()), [])
    return workflow.slug


async def test_a_webhook_is_saved_shown_without_its_secret_and_deleted(
    browser: httpx2.AsyncClient, path: str
) -> None:
    saved = await browser.put(path, json={"url": "http://hooks.example.com/in"})
    shown = await browser.get(path)
    deleted = await browser.delete(path)
    gone = await browser.get(path)

    assert saved.status_code == 200
    assert saved.json().keys() == {"url", "enabled", "secret", "createdAt"}
    assert saved.json()["secret"].startswith("whsec_")
    assert shown.json() == {
        "url": "http://hooks.example.com/in",
        "enabled": True,
        "createdAt": saved.json()["createdAt"],
    }
    for answer in (saved, shown, gone):
        assert answer.headers["cache-control"] == "no-store"
    assert (deleted.status_code, deleted.json()) == (200, {"success": True})
    assert (gone.status_code, gone.json()["code"]) == (404, "NOT_FOUND")


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
    record = await store.client.send("HMGET", name, "secret", "old_secret")
    place = secret_place(account.id, path.split("/")[3])
    opened = [Sealer.from_secret_key(settings.secret_key).open(kept, place) for kept in record]
    assert opened == [made.json()["secret"], OWN]
    assert all(is_sealed(kept) for kept in record)
    assert all(OWN not in answer.text for answer in (first, again, made, await browser.get(path)))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": 5}, "url"),
        ({"url": "nonsense"}, "url"),
        ({"url": "ftp://example.com"}, "url"),
        ({"url": "http://a b/"}, "url"),
        ({"url": "http://example.com", "secret": "short"}, "secret"),
        ({"url": "http://example.com", "secret": 5}, "secret"),
        ({"url": "http://example.com", "secret": "x" * 257}, "secret"),
        ({"url": "http://example.com", "secret": "whsec_%%%%%%%%%%%%"}, "secret"),
    ],
)
async def test_a_bad_url_or_secret_is_refused_by_field_and_reason(
    browser: httpx2.AsyncClient, path: str, body: dict[str, Any], field: str
) -> None:
    answer = await browser.put(path, json=body)

    assert answer.status_code == 400
    assert answer.json()["code"] == "INVALID_WEBHOOK"
    assert answer.json()["field"] == field
    assert answer.json()["reason"]


async def test_a_wrong_enabled_is_a_wrong_body(browser: httpx2.AsyncClient, path: str) -> None:
    answer = await browser.put(path, json={"url": "http://example.com", "enabled": "yes"})

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
    assert answer.json()["field"] == "enabled"


async def test_a_key_that_may_not_receive_webhooks_has_none(
    browser: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    key, _ = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])

    answer = await browser.put(
        f"/api/api-keys/{key.id}/webhook", json={"url": "http://example.com"}
    )

    assert (answer.status_code, answer.json()["code"]) == (403, "CAPABILITY_DENIED")
    assert answer.json()["required"] == "webhook:receive"


@pytest.mark.parametrize(
    ("method", "rest"),
    [
        *(("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/test"), ("GET", "/deliveries")),
        ("POST", "/deliveries/0b5cfb4e-54e6-4e4c-a7f1-111111111111/redeliver"),
    ],
)
async def test_keys_and_strangers_cannot_touch_a_webhook(
    path: str,
    method: str,
    rest: str,
    key: tuple[ApiKey, str],
    make_client: MakeClient,
    make_browser: MakeBrowser,
    stranger: Account,
    browser: httpx2.AsyncClient,
) -> None:
    body = {"url": "http://example.com"} if method == "PUT" else None
    await browser.put(path, json={"url": "http://example.com"})

    with_key = await (await make_client(key[1])).request(method, path + rest, json=body)
    foreign = await (await make_browser(stranger)).request(method, path + rest, json=body)

    assert (with_key.status_code, with_key.json()["code"]) == (403, "SESSION_REQUIRED")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "NOT_FOUND")


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


async def test_a_run_is_delivered_listed_and_redelivered(
    browser: httpx2.AsyncClient,
    path: str,
    key: tuple[ApiKey, str],
    make_client: MakeClient,
    store: Store,
    account: Account,
    receiver: Receiver,
    settings: Settings,
) -> None:
    made = await browser.put(path, json={"url": f"{receiver.url}/ok"})
    client = await make_client(key[1])
    run = f"/api/workflows/{await slug_of(store, account)}/run?async=true"

    async def rows() -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = (await browser.get(f"{path}/deliveries")).json()["rows"]
        return listed

    async with worker(replace(settings, cpu_slots=1)):
        accepted = (await client.post(run, json={"inputs": {"name": "Ada"}})).json()
        [row] = await eventually(rows, lambda found: bool(found) and "pending" not in str(found))
        again = await browser.post(f"{path}/deliveries/{row['id']}/redeliver")
        await eventually(rows, lambda found: len(found[0]["attempts"]) == 2)
        tested = await browser.post(f"{path}/test")
        await eventually(rows, lambda found: len(found) == 2 and "pending" not in str(found))

    assert row.keys() == {"id", "executionId", "event", "status", "attempts", "nextAttemptAt"}
    assert (row["executionId"], row["event"]) == (accepted["executionId"], "execution.completed")
    assert (row["status"], row["nextAttemptAt"]) == ("delivered", None)
    [attempt] = row["attempts"]
    assert attempt.keys() == {"at", "status", "durationMs", "body"}
    assert (attempt["status"], attempt["body"]) == (200, "thank you")
    assert (again.status_code, again.json()["status"]) == (202, "pending")
    assert (tested.status_code, tested.json()["event"]) == (202, "webhook.test")
    assert receiver.ids() == {row["id"]: 2, tested.json()["id"]: 1}
    secret = made.json()["secret"]
    assert all(
        is_knouds_signed(secret, each.headers["x-knouds-signature"], each.body)
        for each in receiver.received
    )


async def test_deliveries_come_in_pages_newest_first(
    browser: httpx2.AsyncClient, path: str, key: tuple[ApiKey, str], store: Store
) -> None:
    await browser.put(path, json={"url": "http://example.com"})
    ids = [(await browser.post(f"{path}/test")).json()["id"] for _ in range(3)]

    pages = [await browser.get(f"{path}/deliveries", params={"limit": "2"})]
    first = pages[0].json()
    cursor = {"cursor": first["nextCursor"]}
    pages.append(await browser.get(f"{path}/deliveries", params=cursor))
    rest = pages[1].json()
    bad = await browser.get(f"{path}/deliveries", params={"cursor": "nonsense"})

    assert pages[0].headers["cache-control"] == pages[1].headers["cache-control"] == "no-store"
    assert {row["id"] for row in (*first["rows"], *rest["rows"])} == set(ids)
    assert rest["nextCursor"] is None
    assert (bad.status_code, bad.json()["code"]) == (400, "INVALID_QUERY")


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


async def test_a_delivery_is_found_by_its_id_alone(
    browser: httpx2.AsyncClient, make_browser: MakeBrowser, path: str, stranger: Account
) -> None:
    await browser.put(path, json={"url": "http://example.com"})
    delivery = (await browser.post(f"{path}/test")).json()
    other = await make_browser(stranger)

    found = await browser.get(f"/api/deliveries/{delivery['id']}")
    foreign = await other.get(f"/api/deliveries/{delivery['id']}")
    unknown = await browser.get("/api/deliveries/00000000-0000-4000-8000-000000000000")
    malformed = await browser.get("/api/deliveries/nothing")

    assert (found.status_code, found.json()) == (200, delivery)
    assert [each.status_code for each in (foreign, unknown, malformed)] == [404] * 3
    assert foreign.content == unknown.content == malformed.content


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


async def test_deliveries_are_listed_by_their_status(
    browser: httpx2.AsyncClient, path: str, settled: dict[str, list[str]]
) -> None:
    for status, ids in settled.items():
        query = {"status": status, "limit": "1"}
        first = (await browser.get(f"{path}/deliveries", params=query)).json()
        cursor = {"cursor": first["nextCursor"]}
        last = (await browser.get(f"{path}/deliveries", params=query | cursor)).json()

        assert {row["id"] for row in first["rows"] + last["rows"]} == set(ids)
        assert {row["status"] for row in first["rows"] + last["rows"]} == {status}
        assert last["nextCursor"] is None
    wrong = await browser.get(f"{path}/deliveries", params={"status": "lost"})
    assert (wrong.status_code, wrong.json()["field"]) == (400, "status")


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


@pytest.mark.parametrize(
    ("body", "field"),
    [
        *(({"since": at}, "since") for at in (None, "", "yesterday", 1, "2026-01-31T12:00:00")),
        ({}, "since"),
        ({"since": "2026-01-31T12:00:00Z", "status": "lost"}, "status"),
    ],
    ids=str,
)
async def test_a_redelivery_that_cannot_be_is_refused(
    browser: httpx2.AsyncClient, path: str, body: dict[str, Any], field: str
) -> None:
    await browser.put(path, json={"url": "http://example.com"})

    answer = await browser.post(f"{path}/redeliver", json=body)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
    assert answer.json()["field"] == field
