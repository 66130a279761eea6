"""Secrets over HTTP: their log lines, commands to Redis, and writes from other pages."""

import io

import httpx2

from engine.store import Account, Store
from tests.gateway.auth.test_principal import is_seen
from tests.support.eventually import eventually

CANARY = "canary of the account"
JSON = {"content-type": "application/json"}
PATH = "/api/secrets/TOKEN"


async def test_a_value_is_in_no_log_line_and_no_command_to_redis(
    browser: httpx2.AsyncClient,
    account: Account,
    logged: io.StringIO,
    monitored: bytearray,
    store: Store,
) -> None:
    answers = [
        await browser.put(PATH, json={"value": CANARY}),
        await browser.put(PATH, json={"value": [CANARY]}),
        await browser.put("/api/secrets/token", json={"value": CANARY}),
        await browser.put(PATH, content=f'{{"value": "{CANARY}', headers=JSON),
        await browser.get("/api/secrets"),
        await browser.delete(PATH),
    ]

    assert [each.status_code for each in answers] == [200, 400, 400, 400, 200, 200]
    assert not any(CANARY in each.text for each in answers)
    lines = logged.getvalue()
    assert CANARY not in lines
    assert lines.count(account.id) >= 2
    assert ("secret saved" in lines, "secret deleted" in lines) == (True, True)
    await store.client.send("ECHO", "the end")
    await eventually(lambda: is_seen(monitored, "the end"))
    assert b":secrets" in bytes(monitored)
    assert CANARY.encode() not in bytes(monitored)


async def test_without_redis_a_secret_is_not_taken(
    browser: httpx2.AsyncClient, store: Store
) -> None:
    await store.client.send("CONFIG", "SET", "maxmemory", 1)
    try:
        answer = await browser.put(PATH, json={"value": CANARY})
    finally:
        await store.client.send("CONFIG", "SET", "maxmemory", 0)

    assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
