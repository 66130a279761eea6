"""Versions of workflows from before facts of versions were recorded."""

import httpx2

from engine.store import Account, Store
from engine.store.redis import keyspace
from tests.support.gateway.documents import greeting


async def test_a_version_of_before_has_no_time_and_is_read_all_the_same(
    client: httpx2.AsyncClient, account: Account, store: Store
) -> None:
    await client.post("/api/workflows", json=greeting())
    await client.put("/api/workflows/greeting", json=greeting(tags=["second"]))
    await store.client.send("HDEL", keyspace.workflow(account.id, "greeting"), "m1", "m2")

    listed = (await client.get("/api/workflows/greeting/versions")).json()["rows"]
    read = await client.get("/api/workflows/greeting/versions/1")

    assert [row["createdAt"] for row in listed] == [None, None]
    assert [row["isLive"] for row in listed] == [True, False]
    assert {row["nodeCount"] for row in listed} == {len(greeting()["nodes"])}
    assert (read.status_code, read.json()["version"], read.json()["tags"]) == (200, 1, [])
