"""Copies of workflows: `POST /api/workflows` with `copyOf`."""

from typing import Any

import httpx2
import pytest

from tests.support.contract.installation import Caller
from tests.support.factories import Graph
from tests.support.gateway.documents import broken, edge, greeting, node
from tests.support.graphs.nested import each_row
from tests.support.media.pictures import plain

LIST = "/api/workflows"
GRAPH = ("nodes", "edges", "viewport", "description", "tags")


def upload(caller: Caller) -> str:
    answer = caller.request(
        "POST", "/api/assets", content=plain((4, 4)), headers={"content-type": "image/png"}
    )
    return str(answer.json()["id"])


FORM = ("in", "requestInput")
ROW = {"name": "row", "type": "text"}


def picture(node_id: str, asset: str) -> dict[str, Any]:
    """A node that gives an asset."""
    return node(node_id, "upload") | {"data": {"asset": asset, "kind": "image"}}


def pictured(asset: str, **members: Any) -> dict[str, Any]:
    """A workflow that answers with an asset, which is its cover too."""
    nodes = [
        picture("picture", asset),
        node("out", "responseOutput"),
    ]
    edges = [edge("picture", "image-out", "out", "result-in")]
    return {"name": "Pictured", "nodes": nodes, "edges": edges, "cover": asset, **members}


def asset_of(document: dict[str, Any]) -> str:
    return str(document["nodes"][0]["data"]["asset"])


def refused(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    return body


def test_a_copy_of_an_own_workflow_is_another_with_its_live_document(caller: Caller) -> None:
    editor = {"groups": ["g"]}
    slug = caller.save(greeting(tags=["a"], publicPlayground=True, archived=True, editor=editor))
    original = caller.get(f"{LIST}/{slug}").json()
    caller.put(f"{LIST}/{slug}/draft", broken())

    answer = caller.create({"copyOf": slug, "name": "Contract copied"})

    copy = answer.json()
    assert answer.status_code == 201
    assert copy["slug"].startswith("contract-copied")
    assert {name: copy[name] for name in GRAPH} == {name: original[name] for name in GRAPH}
    assert (copy["version"], copy["name"], copy["editor"]) == (1, "Contract copied", editor)
    assert (copy["publicPlayground"], copy["archived"]) == (False, False)
    assert caller.run(copy["slug"], {"name": "Ada"}).json()["result"] == {"text": "Hello Ada"}
    assert caller.get(f"{LIST}/{slug}").json() == original
    assert caller.get(f"{LIST}/{copy['slug']}/draft").status_code == 404


def test_a_copy_without_a_name_takes_that_of_the_original(caller: Caller) -> None:
    slug = caller.save(greeting("Contract original"))

    copy = caller.create({"copyOf": slug, "tags": ["mine"]}).json()

    assert (copy["name"], copy["tags"]) == ("Contract original", ["mine"])
    assert copy["slug"] != slug


def test_a_copy_of_what_was_never_published_is_a_draft(caller: Caller) -> None:
    slug = caller.save(broken(draft=True))

    copy = caller.create({"copyOf": slug, "name": "Copied idea"}).json()

    assert (copy["version"], copy["draft"], copy["nodes"]) == (None, True, broken()["nodes"])
    draft = caller.get(f"{LIST}/{copy['slug']}/draft").json()
    assert (draft["revision"], draft["basedOn"]) == (1, None)
    refused(caller.create({"copyOf": slug, "draft": False}), 400, "INVALID_GRAPH")


def test_a_copy_may_be_begun_as_a_draft(caller: Caller) -> None:
    slug = caller.save(greeting())

    assert caller.create({"copyOf": slug, "draft": True}).json()["version"] is None


def test_assets_of_an_own_original_are_held_for_the_copy(caller: Caller) -> None:
    asset = upload(caller)
    slug = caller.save(pictured(asset))

    copy = caller.create({"copyOf": slug, "name": "Pictured twice"}).json()

    assert (asset_of(copy), copy["cover"]) == (asset, asset)
    caller.delete(f"{LIST}/{slug}")
    assert caller.run(copy["slug"]).json()["result"]["images"]


def test_a_copy_of_a_template_has_media_of_its_own(
    caller: Caller, stranger: Caller, anonymous: httpx2.Client
) -> None:
    asset = upload(caller)
    slug = caller.save(pictured(asset, isTemplate=True, editor={"groups": []}, folderId="f"))

    answer = stranger.create({"copyOf": slug, "name": "Mine"})

    copy = answer.json()
    assert answer.status_code == 201, copy
    assert (copy["isTemplate"], copy["editor"], copy["folderId"]) == (False, {}, None)
    assert asset_of(copy) == copy["cover"] != asset
    caller.delete(f"{LIST}/{slug}")
    caller.delete(f"/api/assets/{asset}")
    (url,) = stranger.run(copy["slug"]).json()["result"]["images"]
    assert anonymous.get(url).content == plain((4, 4))
    held = stranger.get(f"/api/assets/{copy['cover']}").json()
    assert held["bytes"] == len(plain((4, 4)))
    stranger.clean()


def test_a_copy_of_a_template_has_media_of_its_own_in_bodies(
    caller: Caller, stranger: Caller
) -> None:
    asset = upload(caller)
    body = Graph("row").node("out", "responseOutput").node("up", "upload")
    body.nodes[-1] = picture("up", asset)
    graph = each_row(each_row(body.wire("up.image-out > out.result-in")).node(*FORM, fields=[ROW]))
    slug = caller.save({**graph.body(), "isTemplate": True})

    copy = stranger.create({"copyOf": slug, "name": "Mine"})

    assert copy.status_code == 201, copy.text
    inner = copy.json()["nodes"][1]["data"]["body"]["nodes"][1]["data"]["body"]["nodes"]
    ids = {node["data"].get("asset") for node in inner} - {None}
    assert ids and ids != {asset}


def test_a_copy_of_a_template_has_no_secrets_and_no_saved_values(
    caller: Caller, stranger: Caller
) -> None:
    document = greeting(isTemplate=True)
    document["nodes"].append(
        node("call", "httpRequest", url="https://example.org/", headers={"x-api-key": "s3cret"})
    )
    slug = caller.save(document)

    copy = stranger.create({"copyOf": slug}).json()

    assert "s3cret" not in str(copy)
    assert copy["nodes"][0]["data"]["values"] == {}
    stranger.clean()


def test_a_copy_whose_media_are_gone_is_refused_and_leaves_no_media(
    caller: Caller, stranger: Caller
) -> None:
    kept, gone = upload(caller), upload(caller)
    document = pictured(kept, isTemplate=True)
    document["nodes"].append(picture("other", gone))
    slug = caller.save(document)
    caller.delete(f"/api/assets/{gone}")
    before = stranger.get("/api/assets").json()["bytes"]

    refused(stranger.post(LIST, {"copyOf": slug}), 400, "INVALID_GRAPH")

    assert stranger.get("/api/assets").json()["bytes"] == before


def test_what_is_not_ones_own_and_no_template_is_unknown(caller: Caller, stranger: Caller) -> None:
    private, public = caller.save(greeting()), caller.save(greeting(publicPlayground=True))
    deleted = stranger.save(greeting())
    stranger.delete(f"{LIST}/{deleted}")

    for slug in (private, public, deleted, "contract-nothing-here"):
        refused(stranger.post(LIST, {"copyOf": slug, "name": "x"}), 404, "WORKFLOW_NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        *(({"copyOf": each}, "copyOf") for each in (5, None, "", "No Slug", ["greeting"])),
        ({"name": ""}, "name"),
        ({"tags": "a"}, "tags"),
    ],
)
def test_a_copy_of_the_wrong_shape_is_refused(
    caller: Caller, body: dict[str, Any], field: str
) -> None:
    slug = caller.save(greeting())

    answer = caller.post(LIST, {"copyOf": slug} | body)

    assert refused(answer, 400, "INVALID_BODY")["field"] == field
