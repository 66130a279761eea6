"""Manifests that admins save over HTTP, and workflows that use them."""

from typing import Any

import httpx2
import pytest

from engine.models.saved import MAX_BYTES
from engine.store import Account
from engine.store import models as saved_models
from tests.support.gateway.saved_manifests import (
    LOUD,
    MODELS,
    OWN,
    PAINTING,
    TEXT,
    replace,
    row,
    save,
)
from tests.support.manifests import manifest

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
    assert ("'echo' ships with Headrace" in answer.json()["error"]) is (name == "echo")


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


# -- faults ----------------------------------------------------------------------------------------


async def test_all_that_is_wrong_with_a_manifest_is_told_with_its_lines(
    admins: httpx2.AsyncClient,
) -> None:
    wrong = TEXT.replace('"free"', '"gold"').replace('"text"', '"smell"') + "color = 1\n"

    answer = await save(admins, wrong)

    body = answer.json()
    assert (answer.status_code, body["code"], body["field"]) == (400, "INVALID_BODY", "manifest")
    lines = wrong.splitlines()
    assert len(body["problems"]) > 2
    reported = {lines[each["line"] - 1] for each in body["problems"]}
    assert {'category = "smell"', 'tier = "gold"', "color = 1"} <= reported
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
    reason = "internalName must be 'own', as the path says it"
    assert problem == {"line": 1, "path": "internalName", "reason": reason}
    assert await row(admins, "other") is None
