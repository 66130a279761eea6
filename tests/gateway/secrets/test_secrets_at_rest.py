"""A copy of Redis contains no key, secret or token."""

from pathlib import Path

import httpx2
import pytest
import redis

from engine.store import Account, Store
from gateway.admission.credentials import SESSION_COOKIE
from tests.conftest import RedisServer
from tests.gateway.conftest import MakeBrowser, MakeClient
from tests.support.gateway.documents import greeting

COUNT = 20


async def keys_of(browser: httpx2.AsyncClient) -> dict[str, str]:
    """Return new keys by their ids."""
    body = {"name": "k", "capabilities": ["workflow:run", "workflow:write", "webhook:receive"]}
    made = [(await browser.post("/api/api-keys", json=body)).json() for _ in range(COUNT)]
    return {each["id"]: each["key"] for each in made}


async def hook(browser: httpx2.AsyncClient, key_id: str, **body: str | None) -> str:
    """Set a webhook; return the created secret, if any."""
    path = f"/api/api-keys/{key_id}/webhook"
    answer = await browser.put(path, json={"url": "http://hooks.example.com/", **body})
    assert answer.status_code == 200
    return str(answer.json().get("secret", ""))


@pytest.mark.A09
async def test_nothing_in_a_dump_lets_anybody_in_or_sign(
    make_browser: MakeBrowser,
    make_client: MakeClient,
    store: Store,
    account: Account,
    redis_server: RedisServer,
    redis_url: str,
) -> None:
    browser = await make_browser(account)
    keys = await keys_of(browser)
    own = {key_id: f"canary of {key_id}" for key_id in keys}
    secrets = list(keys.values()) + list(own.values())
    secrets += [await hook(browser, key_id, secret=None) for key_id in keys]
    for key_id, secret in own.items():
        await hook(browser, key_id, secret=secret)
    secrets += [await hook(browser, key_id, secret=None) for key_id in keys]
    secrets += [await store.sessions.create_login(account.id) for _ in range(COUNT)]
    browsers = [await make_browser(account) for _ in range(COUNT)]
    secrets += [each.cookies[SESSION_COOKIE] for each in (browser, *browsers)]
    client = await make_client(next(iter(keys.values())))
    await client.post("/api/workflows", json=greeting())
    await client.post("/api/workflows/greeting/run?async=true", json={"inputs": {"name": "Ada"}})

    with redis.Redis.from_url(redis_url) as server:
        server.config_set("rdbcompression", "no")
        server.save()
    dump = Path(redis_server.folder, "dump.rdb").read_bytes()

    assert account.id.encode() in dump
    assert len(set(secrets)) == 6 * COUNT + 1
    assert [secret for secret in secrets if secret.encode() in dump] == []
