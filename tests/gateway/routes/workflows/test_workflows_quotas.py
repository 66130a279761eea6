"""Quotas of workflows and bytes of documents, over HTTP."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from engine.access.capabilities import Role, Tier
from engine.ids.partitions import partition_of
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.redis import keyspace
from engine.store.workflows.versions import VERSIONS_KEPT
from tests.gateway.conftest import MakeClient
from tests.support.gateway.documents import greeting

WORKFLOWS, BYTES = 3, 60_000


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    path = tmp_path / "tiers.toml"
    path.write_text(
        f'[pro]\nsaves_per_minute = "unlimited"\nworkflows = {WORKFLOWS}\n'
        f"document_bytes = {BYTES}\n"
        '[business]\nworkflows = "unlimited"\n'
    )
    return replace(settings, tiers_file=str(path))


def sized(size: int, name: str = "Greeting") -> dict[str, Any]:
    """Return a document of at least this many bytes."""
    document = greeting(name)
    document["nodes"][1]["data"]["text"] += "x" * size
    return document


def refused(answer: httpx2.Response, quota: str, limit: int) -> int:
    """Check a refusal; return its figure of the used quota."""
    body = answer.json()
    assert answer.status_code == 413
    assert set(body) == {"error", "code", "quota", "used", "limit"}
    assert (body["code"], body["quota"], body["limit"]) == ("QUOTA_EXCEEDED", quota, limit)
    used: int = body["used"]
    return used


async def used_bytes(store: Store, account: Account) -> int:
    return int(await store.client.send("HGET", keyspace.stored_documents(account.id), "bytes"))


async def test_a_workflow_too_many_is_refused_and_takes_no_slug(
    client: httpx2.AsyncClient, store: Store
) -> None:
    for _ in range(WORKFLOWS):
        assert (await client.post("/api/workflows", json=greeting())).status_code == 201

    bodies = [greeting("Fresh"), greeting("Fresh"), {"copyOf": "greeting"}]
    answers = [await client.post("/api/workflows", json=body) for body in bodies]

    assert [refused(each, "workflows", WORKFLOWS) for each in answers] == [WORKFLOWS] * 3
    assert await store.client.send("HLEN", keyspace.slugs()) == WORKFLOWS
    assert (await client.put("/api/workflows/greeting", json={"name": "x"})).status_code == 200


async def test_a_deleted_workflow_counts_while_it_can_be_taken_back(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    for _ in range(WORKFLOWS):
        await client.post("/api/workflows", json=greeting())
    await client.delete("/api/workflows/greeting")
    await store.versions.prune()

    refused(await client.post("/api/workflows", json=greeting()), "workflows", WORKFLOWS)

    key = keyspace.workflow(account.id, "greeting")
    await store.client.send("HSET", key, "deleted", 1)  # as if it were long ago
    due = keyspace.workflows_due(partition_of(account.id))
    await store.client.send("ZADD", due, 1, keyspace.reference(account.id, "greeting"))
    await store.versions.prune()
    assert (await client.post("/api/workflows", json=greeting())).status_code == 201


async def test_what_documents_take_is_bounded_and_a_refused_save_changes_nothing(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    path = "/api/workflows/greeting"
    await client.post("/api/workflows", json=sized(9_000))
    answers = [await client.put(path, json=sized(9_000)) for _ in range(6)]
    saved = [each.status_code for each in answers].count(200)
    before = await used_bytes(store, account)

    over = [
        await client.put(path, json=sized(9_000)),
        await client.post("/api/workflows", json=sized(9_000, "Other")),
    ]

    assert [refused(each, "documentBytes", BYTES) for each in over] == [before] * 2
    assert 4 <= saved < 6
    assert BYTES - 10_500 < before <= BYTES
    assert await used_bytes(store, account) == before
    assert (await client.get(path)).json()["version"] == saved + 1
    assert (await client.get("/api/workflows/other")).status_code == 404
    assert (await client.put(path, json=sized(1))).status_code == 200


async def test_a_delete_makes_room_for_all_but_the_last_version(
    client: httpx2.AsyncClient, store: Store
) -> None:
    await client.post("/api/workflows", json=sized(9_000))
    while (await client.put("/api/workflows/greeting", json=sized(9_000))).status_code == 200:
        pass

    await client.delete("/api/workflows/greeting")
    await store.versions.prune()
    answer = await client.post("/api/workflows", json=sized(40_000))

    assert answer.status_code == 201


async def test_a_workflow_at_the_limit_is_saved_on_in_place_of_its_oldest_version(
    client: httpx2.AsyncClient, store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each version has run, and the save does not wait for the next round of the sweeper."""
    kept, path = 5, "/api/workflows/greeting"
    for module in ("engine.store.workflows.versions", "engine.store.workflows.saves"):
        monkeypatch.setattr(f"{module}.VERSIONS_KEPT", kept)
    await client.post("/api/workflows", json=sized(0))
    size = BYTES * 2 // (2 * kept + 1) - await used_bytes(store, account)
    statuses = []
    for _ in range(kept + 5):
        begun = await client.post(f"{path}/run?async=true", json={"inputs": {"name": "Eve"}})
        await client.post(f"/api/executions/{begun.json()['executionId']}/cancel")
        statuses.append((await client.put(path, json=sized(size))).status_code)

    assert statuses == [200] * (kept + 5)
    assert BYTES * kept / (kept + 1) < await used_bytes(store, account) <= BYTES


async def test_a_version_that_runs_makes_no_room_for_the_save_that_takes_its_place(
    client: httpx2.AsyncClient,
    store: Store,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = "/api/workflows/greeting"
    for module in ("engine.store.workflows.versions", "engine.store.workflows.saves"):
        monkeypatch.setattr(f"{module}.VERSIONS_KEPT", 2)
    await client.post("/api/workflows", json=sized(40_000))
    begun = await client.post(f"{path}/run?async=true", json={"inputs": {"name": "Eve"}})
    await client.put(path, json=sized(1))

    refused(await client.put(path, json=sized(40_000)), "documentBytes", BYTES)

    await client.post(f"/api/executions/{begun.json()['executionId']}/cancel")
    assert (await client.put(path, json=sized(40_000))).status_code == 200
    assert await used_bytes(store, account) < BYTES


async def test_of_saves_at_once_those_are_taken_that_fit(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    answers = await asyncio.gather(
        *(client.post("/api/workflows", json=sized(9_000, f"W{n}")) for n in range(8))
    )

    assert sorted(each.status_code for each in answers) == [201] * WORKFLOWS + [413] * 5
    assert len(await store.workflow_list.own(account.id)) == WORKFLOWS
    assert await store.client.send("HLEN", keyspace.slugs()) == WORKFLOWS


@pytest.mark.parametrize(
    ("tier", "role"), [(Tier.BUSINESS, Role.USER), (Tier.PRO, Role.ADMIN)], ids=str
)
async def test_a_tier_without_a_limit_and_an_admin_have_none(
    make_client: MakeClient, store: Store, tier: Tier, role: Role
) -> None:
    account = await store.accounts.create(email="b@example.com", tier=tier, role=role)
    _, secret = await store.api_keys.create(account, name="k", capabilities=["workflow:*"])
    client = await make_client(secret)

    answers = [await client.post("/api/workflows", json=sized(20_000)) for _ in range(5)]

    assert [each.status_code for each in answers] == [201] * 5


async def test_an_account_that_moves_down_keeps_what_it_has_and_may_make_it_smaller(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    await store.accounts.set_tier(account.id, Tier.BUSINESS)
    for _ in range(WORKFLOWS + 2):
        await client.post("/api/workflows", json=sized(20_000))

    await store.accounts.set_tier(account.id, Tier.PRO)

    refused(await client.post("/api/workflows", json=greeting()), "workflows", WORKFLOWS)
    larger = await client.put("/api/workflows/greeting", json={"description": "x" * 9})
    refused(larger, "documentBytes", BYTES)
    assert len((await client.get("/api/workflows")).json()) == WORKFLOWS + 2
    assert (await client.delete("/api/workflows/greeting")).status_code == 200


async def test_an_execution_of_a_version_that_is_gone_shows_its_nodes(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    await client.post("/api/workflows", json=greeting())
    begun = await client.post(
        "/api/workflows/greeting/run?async=true", json={"inputs": {"name": "Eve"}}
    )
    path = f"/api/executions/{begun.json()['executionId']}"
    await client.post(f"{path}/cancel")
    before = (await client.get(path)).json()

    for _ in range(VERSIONS_KEPT):
        await client.put("/api/workflows/greeting", json=greeting())
    await store.versions.prune()

    key = keyspace.workflow(account.id, "greeting")
    assert not await store.client.send("HEXISTS", key, "d1")
    assert (await client.get(path)).json() == before
    assert [node["id"] for node in before["nodes"]] == ["in", "text", "out"]
