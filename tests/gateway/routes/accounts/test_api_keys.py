"""API keys in the browsers of their owners."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from engine.access.capabilities import Role, Tier
from engine.store import Account, Store
from tests.gateway.conftest import MakeBrowser, MakeClient
from tests.support.gateway.documents import greeting

KEYS = "/api/api-keys"


async def test_the_owner_and_the_account_are_the_servers_to_say(
    browser: httpx2.AsyncClient, store: Store, account: Account, stranger: Account
) -> None:
    forged = {
        "accountId": stranger.id,
        "account_id": stranger.id,
        "owner": stranger.id,
        "id": "key_mine",
        "prefix": "hr_live_mine",
        "last4": "mine",
        "key": "hr_live_mine",
        "createdAt": "2000-01-01T00:00:00.000Z",
        "role": "admin",
        "tier": "enterprise",
    }

    made = (await browser.post(KEYS, json={**forged, "name": "k", "preset": "Read-only"})).json()

    assert not set(forged.values()) & {str(value) for value in made.values()}
    assert await store.api_keys.list(stranger.id) == []
    assert await store.accounts.get(account.id) == account


async def test_everything_is_for_admins_who_are_named_in_the_log(
    make_browser: MakeBrowser, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    admin = await store.accounts.create(email="r@e.com", tier=Tier.FREE, role=Role.ADMIN)
    browser = await make_browser(admin)

    made = (await browser.post(KEYS, json={"name": "root", "capabilities": ["*"]})).json()

    [record] = [each for each in caplog.records if each.getMessage() == "API key created"]
    assert made["capabilities"] == ["*"]
    assert record.__dict__.items() >= {
        ("account_id", admin.id),
        ("role", "admin"),
        ("key_id", made["id"]),
    }
    assert made["key"][8:] not in caplog.text


# -- changes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [0, 2], ids=["unknown", "assumed"])
async def test_an_expired_key_starts_no_run(
    browser: httpx2.AsyncClient,
    make_client: MakeClient,
    store: Store,
    account: Account,
    before: int,
) -> None:
    await browser.post("/api/workflows", json=greeting())
    soon = datetime.now(UTC) + timedelta(seconds=4)
    wish = {"name": "k", "preset": "Workflow Deploy", "expiresAt": soon.isoformat()}
    client = await make_client((await browser.post(KEYS, json=wish)).json()["key"])
    path = "/api/workflows/greeting/run?async=true"
    ask = {"inputs": {"name": "Eve"}}
    for _ in range(before):
        assert (await client.post(path, json=ask)).status_code == 202

    while datetime.now(UTC) < soon:
        await asyncio.sleep(0.02)
    answer = await client.post(path, json=ask)

    assert (answer.status_code, answer.content) == (401, b'{"error":"Unauthorized"}')
    rows = (await browser.get("/api/executions")).json()["rows"]
    assert len(rows) == before
