"""Changes of a schedule whose due time has come, before any worker has looked at it."""

from typing import Any

import httpx2
import pytest

from engine.store import Account, Store
from engine.store.redis.info import read_now
from engine.store.triggers.keys import triggers
from engine.values.plain import moment
from tests.support.contract.triggers import greeting, schedule

PATH = "/api/triggers"
MINUTE_MS = 60_000
DUE: list[dict[str, Any]] = [
    {"inputs": {"name": "Eve"}},
    {"cron": "0 0 29 2 *"},
    {"enabled": False},
    {"name": "Other"},
]


@pytest.fixture
async def due(client: httpx2.AsyncClient, store: Store, account: Account) -> dict[str, Any]:
    """A schedule of each minute, and the due time that has come."""
    slug = (await client.post("/api/workflows", json=greeting())).json()["slug"]
    answer = await client.post(PATH, json=schedule(slug, cron="* * * * *"))
    made: dict[str, Any] = answer.json()
    at = await read_now(store.client) // MINUTE_MS * MINUTE_MS
    fields = (f"{made['id']}.next", at, f"{made['id']}.since", at - MINUTE_MS)
    await store.client.send("HSET", triggers(account.id), *fields)
    return {**made, "due": moment(at)}


@pytest.mark.parametrize("changes", DUE, ids=str)
async def test_what_is_due_begins_before_with_the_former_settings(
    client: httpx2.AsyncClient, due: dict[str, Any], changes: dict[str, Any]
) -> None:
    answer = await client.patch(f"{PATH}/{due['id']}", json=changes)

    assert answer.status_code == 200, answer.text
    rows = (await client.get(f"{PATH}/{due['id']}/occurrences")).json()["rows"]
    first = rows[-1]  # the next minute may have come meanwhile
    assert (first["at"], first["status"]) == (due["due"], "started")
    execution = (await client.get(f"/api/executions/{first['executionId']}")).json()
    assert execution["inputs"]["name"] == "Ada"
    assert answer.json() | changes == answer.json()


async def test_a_change_that_is_refused_begins_nothing(
    client: httpx2.AsyncClient, due: dict[str, Any]
) -> None:
    answer = await client.patch(f"{PATH}/{due['id']}", json={"cron": "61 * * * *"})

    assert answer.status_code == 400
    assert (await client.get(f"{PATH}/{due['id']}/occurrences")).json()["rows"] == []
