"""Texts of callers stay data: none is part of a key's or a channel's name."""

import re
from typing import Any

import httpx2
import pytest

from engine.store import Account, Store
from tests.support.gateway.documents import greeting

pytestmark = pytest.mark.A68

CANARY = "kanari"
TRICKS = (
    "{kanari}",
    "kanari:*",
    "*kanari?[a-z]",
    "kanari\r\nDEL hr:slugs\r\n",
    "kanari\x00",
    "kanari' .. redis.call('FLUSHALL') .. '",
    "kanari]] redis.call('FLUSHALL') --",
    "../kanari/{hr00}:accounts",
    "$6\r\nkanari",
    "kanari|0|1",
)
NAME = re.compile(rb"(\{hr\d\d\}|\{hr:[a-z_]+\}|hr)(:[A-Za-z0-9_./-]+|:\{hr:[a-z_]+\})+")


async def write_everywhere(
    client: httpx2.AsyncClient, browser: httpx2.AsyncClient, key_id: str, text: str
) -> list[httpx2.Response]:
    """Write a caller's text into every field that takes one."""
    run, keys, idempotency_key = (
        "/api/workflows/greeting/run?async=true",
        "/api/api-keys",
        "idempotency-key",
    )
    inputs: dict[str, Any] = {"inputs": {"name": text[:40], text: text}}
    no_wait = {"timeout": "0"}
    events = "/api/executions/7f9c24e8-3b12-4fef-91e0-5c0e2b8f1a6d/events"
    path = text.replace("\r", "").replace("\n", "").replace("\x00", "").replace("/", "")
    odd = greeting(text, description=text, tags=[text], folderId=text, isTemplate=True)
    odd["nodes"][2]["id"] = text
    odd["edges"][1]["target"] = text
    url = f"http://example.com/{path.encode().hex()}?q=kanari"
    return [
        await client.post("/api/workflows", json=odd),
        await client.put("/api/workflows/greeting", json={"description": text, "slug": text}),
        await client.post(run, json=inputs),
        await client.post(run, json=inputs, headers={idempotency_key: path.replace(" ", "")}),
        await browser.post(keys, json={"name": text, "preset": "Read-only"}),
        await browser.post(keys, json={"name": "k", "capabilities": [f"workflow:{text}:run"]}),
        await browser.put(f"{keys}/{key_id}/webhook", json={"url": url, "secret": f"{path:x<16}"}),
        await browser.get(f"{keys}/{key_id}/webhook/deliveries", params={"cursor": text}),
        await browser.delete(f"{keys}/{path}"),
        await client.get(f"/api/workflows/{path}"),
        await client.post(f"/api/workflows/{path}/run", json=inputs, params=no_wait),
        await client.get(f"/api/executions/{path}"),
        await client.post(f"/api/executions/{path}/cancel"),
        await client.get(f"/api/executions/{path}/events"),
        await client.get(events, headers={"last-event-id": path.replace(" ", "")}),
        await client.get("/api/executions", params={"workflowSlug": text, "cursor": text}),
        await client.get("/api/whoami", headers={"x-request-id": path.replace(" ", "")}),
        await client.get("/api/whoami", headers={"cookie": f"headrace_session={path}"}),
    ]


SLUGGED = (b"workflow", b"node_names")
"""Kinds of keys that end with a slug."""


async def test_no_text_of_a_caller_is_in_the_name_of_a_key(
    client: httpx2.AsyncClient, browser: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    await client.post("/api/workflows", json=greeting())
    capabilities = ["workflow:run", "webhook:receive"]
    key, _ = await store.api_keys.create(account, name="k", capabilities=capabilities)

    statuses = [
        [answer.status_code for answer in await write_everywhere(client, browser, key.id, text)]
        for text in TRICKS
    ]

    names = await store.client.send("KEYS", "*")
    channels = await store.client.send("PUBSUB", "CHANNELS", "*")
    assert len(names) > 3 * len(TRICKS)
    for name in (*names, *channels):
        assert NAME.fullmatch(name), name
        assert CANARY.encode() not in name or name.split(b":")[1] in SLUGGED
    assert [each[0:3] for each in statuses] == [[201, 200, 202]] * len(TRICKS)
    assert not any(status >= 500 for each in statuses for status in each)


async def test_a_slug_is_all_that_a_name_leaves_in_a_key(
    client: httpx2.AsyncClient, store: Store
) -> None:
    for text in TRICKS:
        await client.post("/api/workflows", json=greeting(text))

    names = await store.client.send("KEYS", "*}:workflow:*")
    assert len(names) == len(TRICKS)
    assert all(re.fullmatch(rb"[a-z0-9-]{1,64}", name.split(b":")[-1]) for name in names)
