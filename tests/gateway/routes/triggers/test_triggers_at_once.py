"""Writes of triggers by many callers at once, and before the store is migrated."""

import asyncio
from typing import Any

import httpx2
import pytest

from engine.store import Account, Store
from engine.store.redis import installation, keyspace
from tests.support.contract.triggers import NEVER, greeting, hook, schedule
from tests.support.eventually import eventually

AT_ONCE = 20
PATH = "/api/triggers"


@pytest.fixture
async def slug(client: httpx2.AsyncClient) -> str:
    answer = await client.post("/api/workflows", json=greeting())
    return str(answer.json()["slug"])


async def make(client: httpx2.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(PATH, json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_exactly_100_are_made_by_many_at_once(client: httpx2.AsyncClient, slug: str) -> None:
    for _ in range(90):
        await make(client, schedule(slug))

    answers = await asyncio.gather(
        *(client.post(PATH, json=schedule(slug)) for _ in range(AT_ONCE))
    )

    assert sorted(each.status_code for each in answers) == [201] * 10 + [413] * 10
    rows = (await client.get(f"{PATH}?limit=200")).json()["rows"]
    assert len({row["id"] for row in rows}) == 100


async def test_of_changes_at_once_none_is_lost(client: httpx2.AsyncClient, slug: str) -> None:
    made = await make(client, schedule(slug))
    members: list[dict[str, Any]] = [
        {"name": "Other"},
        {"cron": "1 0 29 2 *"},
        {"timezone": "Asia/Tokyo"},
        {"inputs": {"name": "Eve"}},
        {"overlap": "skip"},
        {"missed": "all"},
        {"max_credits": 7},
        {"version": 1},
    ]

    answers = await asyncio.gather(
        *(client.patch(f"{PATH}/{made['id']}", json=each) for each in members)
    )

    assert {each.status_code for each in answers} == {200}, [each.text for each in answers]
    found = (await client.get(f"{PATH}/{made['id']}")).json()
    for each in members:
        assert found | each == found


async def test_many_change_one_member_at_once(client: httpx2.AsyncClient, slug: str) -> None:
    made = await make(client, hook(slug))

    answers = await asyncio.gather(
        *(
            client.patch(f"{PATH}/{made['id']}", json={"name": f"N{number}"})
            for number in range(AT_ONCE)
        )
    )

    assert {each.status_code for each in answers} == {200}
    found = (await client.get(f"{PATH}/{made['id']}")).json()
    assert found["name"] in {each.json()["name"] for each in answers}


async def test_one_of_many_deletes_it(client: httpx2.AsyncClient, slug: str) -> None:
    made = await make(client, hook(slug))

    calls = [client.delete(f"{PATH}/{made['id']}") for _ in range(AT_ONCE)]
    calls += [client.post(f"{PATH}/{made['id']}/rotate") for _ in range(AT_ONCE)]
    calls += [client.patch(f"{PATH}/{made['id']}", json={"name": "N"}) for _ in range(AT_ONCE)]
    answers = await asyncio.gather(*calls)

    deleted = [each.status_code for each in answers[:AT_ONCE]]
    assert sorted(deleted) == [200] + [404] * (AT_ONCE - 1)
    assert {each.status_code for each in answers} == {200, 404}
    assert (await client.get(PATH)).json()["rows"] == []


async def test_each_of_many_runs_starts_one(client: httpx2.AsyncClient, slug: str) -> None:
    made = await make(client, schedule(slug))

    answers = await asyncio.gather(
        *(client.post(f"{PATH}/{made['id']}/run") for _ in range(AT_ONCE))
    )

    started = {each.json()["occurrenceId"] for each in answers}
    rows = (await client.get(f"{PATH}/{made['id']}/occurrences")).json()["rows"]
    assert {row["id"] for row in rows} == started
    assert len({row["executionId"] for row in rows}) == AT_ONCE


async def test_none_is_made_before_the_store_is_migrated(
    client: httpx2.AsyncClient, slug: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "CHECK_SECONDS", 0.02)
    await store.client.send("HSET", keyspace.installation(), "schema", installation.FIRST_SCHEMA)

    await eventually(
        lambda: client.post(PATH, json=schedule("nothing")),
        lambda found: found.status_code == 503,
        pause=0.2,
    )
    for body in (schedule(slug), hook(slug)):
        answer = await client.post(PATH, json=body)
        assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
        assert "`headrace migrate`" in answer.json()["error"]
    assert (await client.get(PATH)).json()["rows"] == []
    preview = await client.post(f"{PATH}/preview", json={"cron": NEVER})
    assert preview.status_code == 200


async def test_triggers_of_an_account_are_its_own(
    client: httpx2.AsyncClient, slug: str, account: Account, store: Store
) -> None:
    made = await make(client, hook(slug))

    [found] = await store.triggers.list(account.id)

    assert found.id == made["id"]
    assert made["url"].endswith(str(found.token))
