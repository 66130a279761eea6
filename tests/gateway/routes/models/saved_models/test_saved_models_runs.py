"""Workflows and runs of models with manifests saved over HTTP."""

import asyncio
from typing import Any

import httpx2
import pytest

from engine.models.registry import find_model, use_saved
from engine.settings import Settings
from engine.store import Account, ModelStore, Store
from gateway.admission.departure import Departure
from gateway.services import open_services
from tests.gateway.conftest import MakeBrowser, MakeClient
from tests.support.gateway.documents import edge, node
from tests.support.gateway.saved_manifests import LOUD, OWN, PAINTING, TEXT, replace, save
from tests.support.manifests import PER_CALL, manifest


def drawn() -> dict[str, Any]:
    nodes = [node("m", "customModel", model="own", prompt="Hi"), node("out", "responseOutput")]
    return {"name": "Drawn", "nodes": nodes, "edges": [edge("m", "text-out", "out", "result-in")]}


async def run(browser: httpx2.AsyncClient) -> Any:
    return await browser.post("/api/workflows/drawn/run", json={"inputs": {}})


async def test_a_workflow_follows_its_model_that_is_replaced_deleted_and_brought_back(
    admins: httpx2.AsyncClient, worker: None
) -> None:
    unknown = await admins.post("/api/workflows", json=drawn())
    await save(admins)
    saved = await admins.post("/api/workflows", json=drawn())

    first = await run(admins)
    await replace(admins, LOUD)
    second = await run(admins)
    await admins.delete(OWN)
    third = await run(admins)
    await save(admins)
    fourth = await run(admins)
    await replace(admins, PAINTING)
    fifth = await run(admins)

    assert (unknown.status_code, unknown.json()["code"]) == (400, "INVALID_GRAPH")
    assert saved.status_code == 201
    assert [each.json().get("result") for each in (first, second, fourth)] == [
        {"text": "<Hi>"},
        {"text": "Hi!"},
        {"text": "<Hi>"},
    ]
    for refused in (third, fifth):
        assert (refused.status_code, refused.json()["code"]) == (409, "WORKFLOW_NOT_RUNNABLE")
    assert third.json()["problems"] == [{"nodeId": "m", "reason": "There is no model 'own' here"}]
    assert fifth.json()["problems"]


async def test_a_workflow_whose_model_is_deleted_is_listed_and_says_why_it_cannot_run(
    admins: httpx2.AsyncClient,
    make_client: MakeClient,
    make_browser: MakeBrowser,
    stranger: Account,
) -> None:
    await save(admins)
    slug = (
        await admins.post(
            "/api/workflows", json=drawn() | {"isTemplate": True, "publicPlayground": True}
        )
    ).json()["slug"]
    before = (await admins.get("/api/workflows")).json()
    await admins.delete(OWN)
    someone, anybody = await make_browser(stranger), await make_client()

    lists = [await each.get("/api/workflows") for each in (admins, someone)]
    paths = [f"/api/workflows/{slug}/{each}" for each in ("schema", "openapi.json")]
    refused = [await each.get(path) for each in (admins, someone) for path in paths]
    public = await anybody.get(f"/api/workflows/{slug}/public-schema")

    assert before[0]["estimatedCreditCost"] > 0
    for answer in lists:
        rows = [(row["slug"], row["estimatedCreditCost"]) for row in answer.json()]
        assert (answer.status_code, rows) == (200, [(slug, 0)])
    problem = {"nodeId": "m", "reason": "There is no model 'own' here"}
    for answer in refused:
        body = answer.json()
        assert (answer.status_code, body["code"]) == (409, "WORKFLOW_NOT_RUNNABLE")
        assert (body["problems"], "draft" in body["error"]) == ([problem], False)
    assert (public.status_code, public.json()["code"]) == (404, "WORKFLOW_NOT_FOUND")


async def test_a_gateway_knows_what_was_saved_from_its_first_call_on(
    settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ModelStore, "watch", lambda *_: asyncio.sleep(60))
    await store.models.create("own", TEXT, "acc")
    use_saved(())

    async with open_services(settings, Departure()):
        assert find_model("own") is not None


async def test_a_run_by_name_is_of_the_version_that_is_saved_and_at_its_price(
    admins: httpx2.AsyncClient, worker: None
) -> None:
    body = {"inputs": {"prompt": "Hi"}}
    await save(admins)

    first = (await admins.post(f"{OWN}/run", json=body)).json()
    await replace(admins, manifest(pricing=PER_CALL.replace("0.010", "0.500")))
    second = (await admins.post(f"{OWN}/run", json=body)).json()
    await admins.delete(OWN)
    third = await admins.post(f"{OWN}/run", json=body)

    assert (first["result"], second["result"]) == ({"text": "<Hi>"}, {"text": "<Hi>"})
    assert second["cost"] == 50 * first["cost"] == 600
    assert (third.status_code, third.json()["code"]) == (404, "MODEL_NOT_FOUND")
