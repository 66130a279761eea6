"""Manifests that admins save over HTTP, and what becomes of workflows that use them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from engine.capabilities import Role, Tier
from engine.models.registry import find_model, use_folder, use_saved
from engine.models.saved import MAX_BYTES
from engine.settings import Settings
from engine.store import Account, Models, Store
from engine.store import models as saved_models
from gateway.services import open_services
from tests.gateway.conftest import MakeBrowser, MakeClient
from tests.gateway.factories import edge, node
from tests.manifests import PER_CALL, manifest
from workers.main import worker as real_worker

MODELS = "/api/models"
OWN = f"{MODELS}/own"
TEXT = manifest()
LOUD = manifest(call='[builtin]\ntemplate = "{{ prompt }}!"\n')
PAINTING = manifest(category="image")
ASK: dict[str, Any] = {"inputs": {}}


def calling(url: str, key: str = "ANTHROPIC_API_KEY", more: str = "") -> str:
    return manifest(
        call=f'[openai]\nbase_url = "{url}"\napi_key_env = "{key}"\nmodel = "m"\n{more}'
    )


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    yield
    use_saved(())
    use_folder("")


@pytest.fixture
async def admin(store: Store) -> Account:
    return await store.accounts.create(
        email="root@example.com", tier=Tier.BUSINESS, role=Role.ADMIN
    )


@pytest.fixture
async def admins(make_browser: MakeBrowser, admin: Account) -> httpx2.AsyncClient:
    """A browser of an admin."""
    return await make_browser(admin)


@pytest.fixture
async def worker(settings: Settings) -> AsyncIterator[None]:
    async with real_worker(settings):
        yield


async def save(browser: httpx2.AsyncClient, text: str = TEXT) -> httpx2.Response:
    return await browser.post(MODELS, json={"manifest": text})


async def replace(browser: httpx2.AsyncClient, text: str, **headers: str) -> httpx2.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return await browser.put(OWN, json={"manifest": text}, headers=sent)


async def row(browser: httpx2.AsyncClient, name: str = "own") -> Any:
    rows = (await browser.get(MODELS)).json()
    return next((each for each in rows if each["internalName"] == name), None)


# -- saving ---------------------------------------------------------------------------------------


async def test_a_saved_model_is_answered_as_the_list_has_it_with_its_version(
    admins: httpx2.AsyncClient, admin: Account
) -> None:
    answer = await save(admins)

    body = answer.json()
    listed = await row(admins)
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    assert {name: body[name] for name in listed} == listed
    assert (body["version"], body["savedBy"]) == (1, admin.id)
    assert body["createdAt"] == body["updatedAt"]
    assert body.keys() - listed.keys() == {"version", "savedBy", "createdAt", "updatedAt"}


async def test_what_was_saved_is_read_as_it_was_sent(admins: httpx2.AsyncClient) -> None:
    made = (await save(admins, f"# é 🎈\n{TEXT}")).json()
    changed = await replace(admins, LOUD)

    now = await admins.get(OWN)
    before = await admins.get(OWN, params={"version": "1"})

    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert (now.json()["manifest"], now.headers["etag"]) == (LOUD, '"2"')
    assert now.json()["createdAt"] == made["createdAt"]
    assert (before.json()["manifest"], before.json()["version"]) == (f"# é 🎈\n{TEXT}", 1)
    assert before.headers["etag"] == '"1"'


async def test_versions_are_listed_and_a_former_one_is_brought_back_by_its_manifest(
    admins: httpx2.AsyncClient, admin: Account, worker: None
) -> None:
    await save(admins)
    await replace(admins, LOUD)
    await replace(admins, PAINTING)

    listed = (await admins.get(f"{OWN}/versions")).json()
    former = (await admins.get(OWN, params={"version": str(listed[1]["version"])})).json()
    restored = await replace(admins, former["manifest"], if_match=str(listed[0]["version"]))

    assert [each["version"] for each in listed] == [3, 2, 1]
    assert {each["savedBy"] for each in listed} == {admin.id}
    assert listed[0].keys() == {"version", "savedBy", "updatedAt"}
    assert (restored.status_code, restored.json()["version"]) == (200, 4)
    body = {"inputs": {"prompt": "Hi"}}
    assert (await admins.post(f"{OWN}/run", json=body)).json()["result"] == {"text": "Hi!"}


async def test_one_model_too_many_is_refused_with_a_sentence(
    admins: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_models, "MAX_SAVED", 1)
    await save(admins, manifest("other"))

    answer = await save(admins)

    assert answer.status_code == 400
    assert answer.json() == {
        "error": "1 models are saved, as many as may be: delete one",
        "code": "INVALID_BODY",
        "field": "manifest",
    }


@pytest.mark.parametrize("version", ["0", "-1", "one", "1.0", "9007199254740992"])
async def test_a_version_is_a_whole_number(admins: httpx2.AsyncClient, version: str) -> None:
    await save(admins)

    answer = await admins.get(OWN, params={"version": version})

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY")
    assert answer.json()["field"] == "version"


async def test_a_model_that_is_saved_already_is_replaced_by_put_alone(
    admins: httpx2.AsyncClient,
) -> None:
    await save(admins)

    answer = await save(admins, LOUD)

    assert answer.status_code == 400
    assert answer.json() == {
        "error": "The model 'own' is saved already; PUT replaces it",
        "code": "INVALID_BODY",
        "field": "manifest",
    }
    assert (await admins.get(OWN)).json()["manifest"] == TEXT


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("name", ["own", "echo", "%00", "own:1", "x" * 300])
async def test_what_is_not_saved_is_not_found(
    admins: httpx2.AsyncClient, method: str, name: str
) -> None:
    await save(admins, manifest("other"))

    answer = await admins.request(method, f"{MODELS}/{name}", json={"manifest": TEXT})

    assert (answer.status_code, answer.json()["code"]) == (404, "MODEL_NOT_FOUND")


async def test_a_save_over_a_model_that_ships_counts_until_it_is_deleted(
    admins: httpx2.AsyncClient, client: httpx2.AsyncClient
) -> None:
    shipped = await row(client, "echo")
    await save(admins, manifest("echo", tier="pro"))
    saved = await row(client, "echo")

    answer = await admins.delete(f"{MODELS}/echo")

    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert (shipped["tierRequired"], saved["tierRequired"]) == ("free", "pro")
    assert await row(client, "echo") == shipped
    assert (await admins.delete(f"{MODELS}/echo")).status_code == 404


@pytest.mark.parametrize("if_match", ["1", '"1"', '"7", "1"', "*"])
async def test_the_version_that_was_read_is_replaced(
    admins: httpx2.AsyncClient, if_match: str
) -> None:
    await save(admins)

    answer = await replace(admins, LOUD, if_match=if_match)

    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')


@pytest.mark.parametrize("if_match", ["1", '"1"', '"3"', "nonsense", ""])
async def test_a_version_that_has_moved_on_is_not_replaced(
    admins: httpx2.AsyncClient, if_match: str
) -> None:
    await save(admins)
    await replace(admins, LOUD)

    answer = await replace(admins, TEXT, if_match=if_match)

    assert answer.status_code == 412
    assert answer.json() == {
        "error": "The model is at version 2 by now",
        "code": "VERSION_CONFLICT",
        "version": 2,
    }
    assert (await admins.get(OWN)).json()["manifest"] == LOUD


# -- what is wrong --------------------------------------------------------------------------------


async def test_all_that_is_wrong_with_a_manifest_is_told_with_its_lines(
    admins: httpx2.AsyncClient,
) -> None:
    wrong = TEXT.replace('"free"', '"gold"').replace('"text"', '"smell"') + "color = 1\n"

    answer = await save(admins, wrong)

    body = answer.json()
    assert (answer.status_code, body["code"], body["field"]) == (400, "INVALID_BODY", "manifest")
    lines = wrong.splitlines()
    assert len(body["problems"]) > 2
    told = {lines[each["line"] - 1] for each in body["problems"]}
    assert {'category = "smell"', 'tier = "gold"', "color = 1"} <= told
    assert body["error"] == f"The manifest has {len(body['problems'])} problems"
    assert await row(admins) is None


@pytest.mark.parametrize("text", ["", "[", "\x00", "own", "[[fields]]", "é" * MAX_BYTES])
async def test_no_text_that_is_not_a_manifest_is_saved(
    admins: httpx2.AsyncClient, text: str
) -> None:
    await save(admins)

    for answer in (await save(admins, text), await replace(admins, text)):
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
        assert answer.json()["problems"]
    assert (await admins.get(OWN)).json()["version"] == 1


async def test_no_more_problems_are_listed_than_anybody_reads(admins: httpx2.AsyncClient) -> None:
    answer = await save(admins, "\n".join(f"a{number} = 1" for number in range(5_000)))

    assert len(answer.json()["problems"]) == 100
    assert len(answer.content) < 50_000


@pytest.mark.parametrize("body", [{}, {"manifest": None}, {"manifest": 5}, {"manifest": [TEXT]}])
async def test_a_body_without_a_manifest_is_refused(
    admins: httpx2.AsyncClient, body: dict[str, Any]
) -> None:
    await save(admins)

    for answer in (await admins.post(MODELS, json=body), await admins.put(OWN, json=body)):
        assert (answer.status_code, answer.json()["field"]) == (400, "manifest")


async def test_a_model_keeps_the_name_of_its_path(admins: httpx2.AsyncClient) -> None:
    await save(admins)

    answer = await replace(admins, manifest("other"))

    (problem,) = answer.json()["problems"]
    assert problem == {"line": 1, "reason": "internalName must be 'own', as the path says it"}
    assert await row(admins, "other") is None


# -- who may --------------------------------------------------------------------------------------


async def every_call(caller: httpx2.AsyncClient) -> list[httpx2.Response]:
    return [
        await save(caller, manifest("new")),
        await caller.get(OWN),
        await caller.get(f"{OWN}/versions"),
        await replace(caller, LOUD),
        await caller.delete(OWN),
    ]


async def test_a_browser_of_another_account_may_not(
    admins: httpx2.AsyncClient, browser: httpx2.AsyncClient
) -> None:
    await save(admins)

    for answer in await every_call(browser):
        assert answer.status_code == 403
        assert (answer.json()["code"], answer.json()["required"]) == ("CAPABILITY_DENIED", "*")
        assert "key" not in answer.json()["error"]
    assert (await admins.get(OWN)).json()["manifest"] == TEXT
    assert await row(admins, "new") is None


async def test_no_key_may_not_even_an_admins_that_may_do_everything(
    admins: httpx2.AsyncClient, admin: Account, store: Store, make_client: MakeClient
) -> None:
    await save(admins)
    _, secret = await store.api_keys.create(admin, name="all", capabilities=["*"])

    for answer in await every_call(await make_client(secret)):
        assert (answer.status_code, answer.json()["code"]) == (403, "SESSION_REQUIRED")
    assert (await admins.get(OWN)).json()["manifest"] == TEXT


async def test_no_page_of_another_site_may(admins: httpx2.AsyncClient) -> None:
    await save(admins)
    admins.headers["origin"] = "https://evil.example"

    answers = await every_call(admins)

    for answer in (answers[0], *answers[3:]):
        assert (answer.status_code, answer.json()["code"]) == (403, "CSRF_FAILED")


async def test_who_is_no_admin_any_more_may_not_with_the_next_request(
    admins: httpx2.AsyncClient, admin: Account, store: Store
) -> None:
    await save(admins)

    await store.accounts._change(admin.id, role=Role.USER.value)

    assert (await admins.delete(OWN)).status_code == 403


async def test_every_change_is_in_the_log_with_who_and_what(
    admins: httpx2.AsyncClient, admin: Account, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "gateway.routes.models"):
        await save(admins)
        await replace(admins, LOUD)
        await replace(admins, "wrong")
        await admins.delete(OWN)

    told = [each for each in caplog.records if each.name == "gateway.routes.models"]
    assert [(each.msg, each.__dict__["version"]) for each in told] == [
        ("model saved", 1),
        ("model saved", 2),
        ("model deleted", 2),
    ]
    assert {each.__dict__["account_id"] for each in told} == {admin.id}
    assert {each.__dict__["model"] for each in told} == {"own"}


# -- where keys go --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (calling("https://evil.example"), "no manifest on disk sends ANTHROPIC_API_KEY to"),
        (calling("http://api.anthropic.com"), "no manifest on disk sends ANTHROPIC_API_KEY to"),
        (calling("https://api.anthropic.com", "HEADRACE_SECRET_KEY"), "no manifest on disk sends"),
        (
            calling("https://api.anthropic.com", more='base_url_env = "ANTHROPIC_BASE_URL"\n'),
            "base_url_env may not be saved over HTTP",
        ),
        (
            calling("https://api.anthropic.com", more='headers = {Authorization = "sk-1"}\n'),
            "may hold a key",
        ),
    ],
)
async def test_a_key_is_sent_nowhere_by_what_comes_over_http(
    admins: httpx2.AsyncClient, text: str, reason: str
) -> None:
    await save(admins)

    for answer in (await save(admins, text), await replace(admins, text)):
        assert answer.status_code == 400
        (problem,) = answer.json()["problems"]
        assert reason in problem["reason"]
        assert "HEADRACE_MODELS_DIR" in problem["reason"]
        assert text.splitlines()[problem["line"] - 1].startswith(("api_key", "base_url", "head"))
    assert (await admins.get(OWN)).json()["version"] == 1


async def test_a_key_is_sent_where_a_manifest_that_ships_sends_it(
    admins: httpx2.AsyncClient,
) -> None:
    assert (await save(admins, calling("https://api.anthropic.com/v1"))).status_code == 201


async def test_a_key_is_sent_where_the_operators_folder_sends_it(
    admins: httpx2.AsyncClient, tmp_path: Path
) -> None:
    text = calling("https://ours.example.com", "OUR_KEY")
    refused = await save(admins, text)
    (tmp_path / "ours.toml").write_text(text.replace('"own"', '"ours"'))
    use_folder(str(tmp_path))

    assert refused.status_code == 400
    assert (await save(admins, text)).status_code == 201


# -- workflows and runs ---------------------------------------------------------------------------


def drawn() -> dict[str, Any]:
    nodes = [node("m", "customModel", model="own", prompt="Hi"), node("out", "responseOutput")]
    return {"name": "Drawn", "nodes": nodes, "edges": [edge("m", "text-out", "out", "result-in")]}


async def run(browser: httpx2.AsyncClient) -> Any:
    return await browser.post("/api/workflows/drawn/run", json=ASK)


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
    monkeypatch.setattr(Models, "watch", lambda *_: asyncio.sleep(60))
    await store.models.create("own", TEXT, "acc")
    use_saved(())

    async with open_services(settings, asyncio.Event()):
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
