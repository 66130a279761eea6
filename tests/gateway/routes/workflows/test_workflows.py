"""Saving, reading and deleting workflows over HTTP."""

import asyncio
from typing import Any

import httpx2
import pytest

from engine.store import Account
from tests.support.gateway.documents import broken, edge, greeting, node

FOREIGN = b'{"error":"Workflow not found","code":"WORKFLOW_NOT_FOUND"}'
HERE = "/api/workflows/greeting"


async def save(client: httpx2.AsyncClient, document: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post("/api/workflows", json=document)
    assert answer.status_code == 201, answer.text
    saved: dict[str, Any] = answer.json()
    return saved


async def test_slugs_are_numbered_even_when_saved_at_once(client: httpx2.AsyncClient) -> None:
    saved = await asyncio.gather(*(save(client, greeting()) for _ in range(5)))

    slugs = {each["slug"] for each in saved}
    assert slugs == {"greeting", *(f"greeting-{number}" for number in range(2, 6))}


@pytest.mark.parametrize("code", ["INVALID_BODY", "INVALID_GRAPH"])
async def test_what_cannot_be_saved_is_refused_as_such_whatever_version_was_wanted(
    client: httpx2.AsyncClient, code: str
) -> None:
    await save(client, greeting())
    body = {"INVALID_BODY": {"name": 5}, "INVALID_GRAPH": broken()}[code]

    answer = await client.put(HERE, json=body, headers={"if-match": "7"})

    assert answer.status_code == 400
    assert answer.json()["code"] == code


async def test_unguarded_updates_of_different_members_are_all_kept(
    client: httpx2.AsyncClient,
) -> None:
    await save(client, greeting())
    changes: list[dict[str, Any]] = [{"description": "d"}, {"tags": ["t"]}, {"folderId": "f"}]

    answers = await asyncio.gather(*(client.put(HERE, json=change) for change in changes))

    after = (await client.get(HERE)).json()
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert (after["description"], after["tags"], after["folderId"]) == ("d", ["t"], "f")
    assert after["version"] == 1


async def test_a_draft_keeps_its_problems_until_they_are_solved(
    client: httpx2.AsyncClient,
) -> None:
    draft = await save(client, broken("Greeting", draft=True))
    unsolved = await client.put(HERE, json={"draft": False})
    document = greeting()

    solved = await client.put(
        HERE, json={"draft": False, "nodes": document["nodes"], "edges": document["edges"]}
    )

    assert draft["draft"] is True
    assert unsolved.json()["code"] == "INVALID_GRAPH"
    assert (solved.status_code, solved.json()["version"]) == (200, 1)


@pytest.mark.parametrize("member", ["account", "account_id", "owner", "balance", "id", "status"])
async def test_what_is_not_the_callers_to_set_is_ignored(
    client: httpx2.AsyncClient, account: Account, member: str
) -> None:
    saved = await save(client, greeting() | {member: "mine", "createdAt": "1970", "tier": "x"})

    assert member not in saved
    assert saved["createdBy"] == account.id
    assert not saved["createdAt"].startswith("1970")


async def test_a_large_graph_is_checked_without_holding_up_others(
    client: httpx2.AsyncClient,
) -> None:
    document = greeting("Large")
    document["nodes"] += [node(f"n{i}", "textBox", text="x") for i in range(900)]
    document["edges"] += [edge(f"n{i}", "text-out", f"n{i + 1}", "no") for i in range(899)]
    saving = asyncio.create_task(client.post("/api/workflows", json=document))

    health = await client.get("/healthz")

    assert health.status_code == 200
    assert (await saving).json()["code"] == "INVALID_GRAPH"
