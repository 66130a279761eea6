"""Saving, reading and deleting workflows over HTTP."""

import asyncio
import re
from typing import Any

import httpx2
import pytest

from engine.store import Account, Store
from tests.support.gateway.documents import broken, edge, greeting, node

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
FOREIGN = b'{"error":"Workflow not found","code":"WORKFLOW_NOT_FOUND"}'
HERE = "/api/workflows/greeting"


async def save(client: httpx2.AsyncClient, document: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post("/api/workflows", json=document)
    assert answer.status_code == 201, answer.text
    saved: dict[str, Any] = answer.json()
    return saved


async def test_a_saved_workflow_comes_back_whole(
    client: httpx2.AsyncClient, account: Account
) -> None:
    document = greeting(
        description="Says hello", tags=["a"], viewport={"x": 1, "y": 2.5, "zoom": 0.5}
    )

    answer = await client.post("/api/workflows", json=document)

    saved = answer.json()
    assert answer.status_code == 201
    assert answer.headers["etag"] == '"1"'
    assert saved.items() >= document.items()
    assert saved["slug"] == "greeting"
    assert saved["version"] == 1
    assert saved["createdBy"] == account.id
    assert (saved["publicPlayground"], saved["isTemplate"], saved["folderId"]) == (
        False,
        False,
        None,
    )
    assert MOMENT.fullmatch(saved["createdAt"])
    assert MOMENT.fullmatch(saved["updatedAt"])
    read = await client.get(HERE)
    assert read.json() == saved
    assert read.headers["etag"] == '"1"'


async def test_what_was_read_can_be_saved_again(client: httpx2.AsyncClient) -> None:
    await save(client, greeting())
    read = (await client.get(HERE)).json()

    copy = await client.post("/api/workflows", json=read)
    update = await client.put(HERE, json=read)

    assert copy.json()["slug"] == "greeting-2"
    assert update.json()["nodes"] == read["nodes"]
    assert update.json()["version"] == 2


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Häll  Wörld!", "hall-world"), ("!!!", "untitled-workflow"), ("a" * 100, "a" * 64)],
)
async def test_a_slug_is_made_from_the_name(
    client: httpx2.AsyncClient, name: str, slug: str
) -> None:
    assert (await save(client, greeting(name)))["slug"] == slug


async def test_slugs_are_numbered_even_when_saved_at_once(client: httpx2.AsyncClient) -> None:
    saved = await asyncio.gather(*(save(client, greeting()) for _ in range(5)))

    slugs = {each["slug"] for each in saved}
    assert slugs == {"greeting", *(f"greeting-{number}" for number in range(2, 6))}


async def test_the_list_has_a_row_for_each_workflow(
    client: httpx2.AsyncClient, account: Account
) -> None:
    await save(client, greeting(description="Says hello", tags=["a"]))

    answer = await client.get("/api/workflows")

    [row] = answer.json()
    assert list(row) == [
        *("slug", "name", "description", "tags", "isTemplate", "hidden", "archived", "cover"),
        *("createdBy", "estimatedCreditCost", "folderId", "updatedAt", "version", "hasDraft"),
        *("publicPlayground", "coverUrl", "lastRun", "runs7d"),
    ]
    assert (row["slug"], row["name"], row["createdBy"]) == ("greeting", "Greeting", account.id)
    assert (row["hidden"], row["archived"], row["cover"]) == (False, False, None)
    assert row["estimatedCreditCost"] == 0


async def test_an_update_changes_what_it_names_and_nothing_else(
    client: httpx2.AsyncClient, account: Account
) -> None:
    before = await save(client, greeting(tags=["a"]))
    body = {"description": "new", "slug": "other", "createdBy": "other", "version": 9}
    body |= {"nodes": before["nodes"]}

    answer = await client.put(HERE, json=body)

    after = answer.json()
    assert answer.status_code == 200
    assert answer.headers["etag"] == '"2"'
    kept = ("slug", "name", "tags", "nodes", "edges", "createdBy", "createdAt")
    assert [after[member] for member in kept] == [before[member] for member in kept]
    assert (after["description"], after["version"]) == ("new", 2)


@pytest.mark.parametrize("tag", ["1", '"1"', '"7", "1"', "*"])
async def test_an_update_of_the_version_that_was_read_is_taken(
    client: httpx2.AsyncClient, tag: str
) -> None:
    await save(client, greeting())

    answer = await client.put(HERE, json={"name": "New"}, headers={"if-match": tag})

    assert answer.status_code == 200
    assert answer.json()["slug"] == "greeting"


@pytest.mark.parametrize("tag", ["1", '"3"', 'W/"2"', "", "abc", '"2'])
async def test_an_update_of_another_version_is_refused(
    client: httpx2.AsyncClient, tag: str
) -> None:
    await save(client, greeting())
    await client.put(HERE, json=greeting(description="two"))

    answer = await client.put(HERE, json={"name": "New"}, headers={"if-match": tag})

    assert answer.status_code == 412
    assert answer.json()["code"] == "VERSION_CONFLICT"
    assert (await client.get(HERE)).json()["version"] == 2


@pytest.mark.parametrize("code", ["INVALID_BODY", "INVALID_GRAPH"])
async def test_what_cannot_be_saved_is_refused_as_such_whatever_version_was_wanted(
    client: httpx2.AsyncClient, code: str
) -> None:
    await save(client, greeting())
    body = {"INVALID_BODY": {"name": 5}, "INVALID_GRAPH": broken()}[code]

    answer = await client.put(HERE, json=body, headers={"if-match": "7"})

    assert answer.status_code == 400
    assert answer.json()["code"] == code


async def test_of_two_guarded_updates_at_once_one_wins(client: httpx2.AsyncClient) -> None:
    await save(client, greeting())
    headers = {"if-match": "1"}

    answers = await asyncio.gather(
        *(client.put(HERE, json=greeting(f"N{n}"), headers=headers) for n in range(5))
    )

    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]


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


async def test_a_deleted_workflow_is_gone(client: httpx2.AsyncClient) -> None:
    await save(client, greeting())

    answer = await client.delete(HERE)

    assert (answer.status_code, answer.json()) == (200, {"success": True})
    for method in ("GET", "PUT", "DELETE"):
        assert (await client.request(method, HERE, json={})).content == FOREIGN
    run = await client.post(f"{HERE}/run", json={"inputs": {"name": "x"}})
    assert (run.status_code, run.content) == (404, FOREIGN)
    assert (await client.get("/api/workflows")).json() == []


async def test_an_invalid_graph_is_refused_with_all_its_problems(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.post("/api/workflows", json=broken())

    body = answer.json()
    assert answer.status_code == 400
    assert body["code"] == "INVALID_GRAPH"
    assert len(body["problems"]) >= 2
    assert all(set(each) <= {"nodeId", "edgeId", "reason"} for each in body["problems"])
    assert (await client.get("/api/workflows")).json() == []


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


@pytest.mark.parametrize(
    ("change", "field"),
    [({"name": None}, "name"), ({"name": 5}, "name"), ({"tags": "a"}, "tags")]
    + [({"nodes": {}}, "nodes"), ({"publicPlayground": "yes"}, "publicPlayground")],
)
async def test_a_member_of_the_wrong_type_is_named(
    client: httpx2.AsyncClient, change: dict[str, Any], field: str
) -> None:
    answer = await client.post("/api/workflows", json=greeting() | change)

    assert answer.status_code == 400
    assert answer.json()["code"] == "INVALID_BODY"
    assert answer.json()["field"] == field


@pytest.mark.parametrize("member", ["account", "account_id", "owner", "balance", "id", "status"])
async def test_what_is_not_the_callers_to_set_is_ignored(
    client: httpx2.AsyncClient, account: Account, member: str
) -> None:
    saved = await save(client, greeting() | {member: "mine", "createdAt": "1970", "tier": "x"})

    assert member not in saved
    assert saved["createdBy"] == account.id
    assert not saved["createdAt"].startswith("1970")


@pytest.mark.parametrize("slug", ["Greeting", "a_b", "a.b", "a" * 65, "a%20b", "%c3%a4", "a%00"])
async def test_a_slug_that_cannot_be_one_is_refused(client: httpx2.AsyncClient, slug: str) -> None:
    for method, path in [("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/schema")]:
        answer = await client.request(method, f"/api/workflows/{slug}{path}", json={})

        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_SLUG")


async def test_a_foreign_workflow_is_as_unknown_as_any(
    client: httpx2.AsyncClient, strangers_client: httpx2.AsyncClient
) -> None:
    await save(client, greeting())
    calls = [("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/schema"), ("POST", "/run")]

    for method, path in calls:
        for slug in ("greeting", "unknown"):
            answer = await strangers_client.request(
                method, f"/api/workflows/{slug}{path}", json={"inputs": {"name": "x"}}
            )

            assert (answer.status_code, answer.content) == (404, FOREIGN), (method, path, slug)
    assert (await strangers_client.get("/api/workflows")).json() == []
    assert (await client.get(HERE)).json()["version"] == 1


async def test_a_template_is_read_by_all_and_written_by_its_owner(
    client: httpx2.AsyncClient, strangers_client: httpx2.AsyncClient
) -> None:
    await save(client, greeting(isTemplate=True))
    ask = {"inputs": {"name": "x"}}

    listed = (await strangers_client.get("/api/workflows")).json()
    read = await strangers_client.get(HERE)
    schema = await strangers_client.get(f"{HERE}/schema")
    update = await strangers_client.put(HERE, json={"name": "mine"})
    deletion = await strangers_client.delete(HERE)
    run = await strangers_client.post(f"{HERE}/run", json=ask)

    assert [row["slug"] for row in listed] == ["greeting"]
    assert (read.status_code, schema.status_code) == (200, 200)
    assert (update.status_code, update.json()["code"]) == (403, "NOT_OWNER")
    assert (deletion.status_code, deletion.json()["code"]) == (403, "NOT_OWNER")
    assert (run.status_code, run.content) == (404, FOREIGN)
    assert len((await client.get("/api/workflows")).json()) == 1


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


async def test_versions_saved_elsewhere_are_seen_at_once(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    await save(client, greeting())
    current = await store.workflows.get("greeting")

    await store.workflows.update(account.id, "greeting", current.document, [])

    assert (await client.get(HERE)).json()["version"] == 2
