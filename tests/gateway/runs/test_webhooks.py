"""Webhooks of runs at a gateway: by the schema of the store, sealed, and for drafts."""

from typing import Any

import httpx2
import pytest

from engine.graph.document import parse_document
from engine.store import Account, Store
from engine.store.redis import installation, keyspace
from engine.store.webhooks.owners import run_owner
from tests.gateway.conftest import MakeClient
from tests.support.eventually import eventually
from tests.support.gateway.documents import greeting
from tests.support.store.redis_contents import contents

SECRET = "the secret of one single run"
WEBHOOK = {"url": "https://example.com/runs", "secret": SECRET}


@pytest.fixture
async def slug(store: Store, account: Account) -> str:
    return (await store.workflows.create(account.id, parse_document(greeting()), [])).slug


@pytest.fixture
async def client(store: Store, account: Account, make_client: MakeClient) -> httpx2.AsyncClient:
    capabilities = ["workflow:*", "webhook:receive"]
    _, secret = await store.api_keys.create(account, name="k", capabilities=capabilities)
    return await make_client(secret)


def body(**members: Any) -> dict[str, Any]:
    return {"inputs": {"name": "Ada"}, **members}


async def test_no_run_has_a_webhook_of_its_own_before_the_store_is_migrated(
    client: httpx2.AsyncClient,
    browser: httpx2.AsyncClient,
    slug: str,
    store: Store,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(installation, "CHECK_SECONDS", 0.02)
    path = f"/api/workflows/{slug}/run?async=true"
    [key] = await store.api_keys.list(account.id)
    hook = f"/api/api-keys/{key.id}/webhook"
    await store.client.send("HSET", keyspace.installation(), "schema", installation.FIRST_SCHEMA)

    async def run() -> httpx2.Response:
        return await client.post(path, json=body(webhook=WEBHOOK))

    refused = await eventually(run, lambda found: found.status_code == 503, pause=0.2)
    events = await browser.put(hook, json={"url": WEBHOOK["url"], "events": ["execution.started"]})
    plain = await browser.put(hook, json={"url": WEBHOOK["url"]})
    without = await client.post(path, json=body())

    for answer in (refused, events):
        assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
        assert "headrace migrate" in answer.json()["error"]
    assert (plain.status_code, without.status_code) == (200, 202)


async def test_the_secret_of_a_run_is_in_no_record_as_it_is(
    client: httpx2.AsyncClient, slug: str, store: Store
) -> None:
    headers = {"idempotency-key": "once"}
    path = f"/api/workflows/{slug}/run?async=true"

    answer = await client.post(path, json=body(webhook=WEBHOOK), headers=headers)

    assert answer.status_code == 202
    assert SECRET not in answer.text
    found = await contents(store.client)
    assert any(b":webhook:" in key for key in found)
    assert SECRET.encode() not in repr(found).encode()
    shown = await client.get(answer.json()["pollUrl"])
    assert SECRET not in shown.text


async def test_a_run_of_a_draft_has_a_webhook_too(
    client: httpx2.AsyncClient, slug: str, store: Store, account: Account
) -> None:
    await client.put(f"/api/workflows/{slug}/draft", json=greeting("Draft"))

    answer = await client.post(
        f"/api/workflows/{slug}/draft/run?async=true", json=body(webhook=WEBHOOK)
    )

    assert answer.status_code == 202
    assert answer.json()["webhookDelivery"] == {"configured": True, "url": WEBHOOK["url"]}


async def test_the_record_keeps_whether_the_setter_may_answer_approvals(
    browser: httpx2.AsyncClient,
    slug: str,
    store: Store,
    account: Account,
    make_client: MakeClient,
) -> None:
    capabilities = ["workflow:run", "webhook:receive"]
    found = []
    for more in ((), ("execution:approve",)):
        _, secret = await store.api_keys.create(
            account, name="k", capabilities=capabilities + [*more]
        )
        found.append(await may_approve(store, account, await make_client(secret), slug))
    found.append(await may_approve(store, account, browser, slug))

    assert found == [None, b"1", b"1"]


async def may_approve(
    store: Store, account: Account, client: httpx2.AsyncClient, slug: str
) -> bytes | None:
    """Start a run with a webhook, and return what its record keeps of the setter's right."""
    path = f"/api/workflows/{slug}/run?async=true"
    answer = await client.post(
        path, json=body(webhook={**WEBHOOK, "events": ["execution.waiting"]})
    )
    assert answer.status_code == 202, answer.text
    key = keyspace.webhook(account.id, run_owner(answer.json()["executionId"]))
    found: bytes | None = await store.client.send("HGET", key, "may_approve")
    return found
