"""Templates: readable by all, run and written by their owners alone, with redacted secrets."""

from typing import Any

import httpx2
import pytest

from engine.store import Account
from tests.support.gateway.documents import greeting, node

CANARY = "sk-canary-4711"
PATH = "/api/workflows/greeting"


def template(**members: Any) -> dict[str, Any]:
    body = greeting(isTemplate=True, folderId=f"folder-{CANARY}", **members)
    body["nodes"][0]["data"]["values"] = {"name": CANARY}
    headers = {"Authorization": f"Bearer {CANARY}", "Accept": "text/plain"}
    url = f"https://example.org/?token={CANARY}"
    body["nodes"].append(node("http", "httpRequest", url=url, headers=headers))
    body["nodes"].append(node("note", "note", text="hello", apiKey=CANARY))
    return body


@pytest.fixture
async def saved(client: httpx2.AsyncClient) -> dict[str, Any]:
    answer = await client.post("/api/workflows", json=template())
    assert answer.status_code == 201
    document: dict[str, Any] = answer.json()
    return document


async def test_its_owner_sees_all_of_it(client: httpx2.AsyncClient, saved: dict[str, Any]) -> None:
    assert (await client.get(PATH)).json() == saved
    assert repr(saved).count(CANARY) == 5


@pytest.mark.A77
async def test_others_see_neither_secrets_nor_its_owner(
    strangers_client: httpx2.AsyncClient, account: Account, saved: dict[str, Any]
) -> None:
    answers = [
        await strangers_client.get(path)
        for path in ("/api/workflows", PATH, f"{PATH}/schema", "/api/executions")
    ]
    schema = {"accept": "application/schema+json"}
    answers.append(await strangers_client.get(f"{PATH}/schema", headers=schema))

    for answer in answers:
        assert answer.status_code == 200
        for hidden in (CANARY, account.id, account.email):
            assert hidden not in answer.text + str(answer.headers)
    [row] = answers[0].json()
    document = answers[1].json()
    assert (row["slug"], row["createdBy"]) == ("greeting", None)
    assert list(document) == [name for name in saved if name != "editor"]
    assert document["nodes"][0]["data"]["fields"] == saved["nodes"][0]["data"]["fields"]
    assert document["edges"] == saved["edges"]
    assert answers[1].headers["etag"] == '"1"'
    assert answers[2].json()["values"] == {}


@pytest.mark.A77
async def test_others_can_save_it_as_their_own(
    strangers_client: httpx2.AsyncClient, stranger: Account, saved: dict[str, Any]
) -> None:
    observed = (await strangers_client.get(PATH)).json()

    copied = await strangers_client.post("/api/workflows", json=observed | {"isTemplate": False})

    assert copied.status_code == 201
    assert (copied.json()["slug"], copied.json()["createdBy"]) == ("greeting-2", stranger.id)


async def test_a_form_that_was_made_public_shows_its_values(
    client: httpx2.AsyncClient, strangers_client: httpx2.AsyncClient
) -> None:
    await client.post("/api/workflows", json=greeting(isTemplate=True, publicPlayground=True))

    observed = await strangers_client.get(f"{PATH}/schema")
    public = await strangers_client.get(f"{PATH}/public-schema")

    assert observed.json()["values"] == public.json()["values"] == {"name": "Ada"}


@pytest.mark.A77
async def test_what_is_no_template_any_more_is_not_there(
    client: httpx2.AsyncClient, strangers_client: httpx2.AsyncClient, saved: dict[str, Any]
) -> None:
    await client.put(PATH, json={"isTemplate": False})

    for path in (PATH, f"{PATH}/schema"):
        assert (await strangers_client.get(path)).status_code == 404
    assert (await strangers_client.get("/api/workflows")).json() == []
