"""Assets that nodes in bodies name, in copies of templates."""

from typing import Any

from tests.contract.workflows.test_workflows_copies import upload
from tests.support.contract.installation import Caller
from tests.support.gateway.documents import edge, node

LIST = "/api/workflows"
FIELD = {"name": "item", "label": "Item", "type": "json"}


def each_item(*nodes: dict[str, Any], output: tuple[str, str], **members: Any) -> dict[str, Any]:
    """A workflow whose body has these nodes, one of which gives its result."""
    body = {
        "nodes": [
            node("in", "requestInput", fields=[FIELD]),
            *nodes,
            node("out", "responseOutput"),
        ],
        "edges": [edge(*output, "out", "result-in")],
    }
    names = {"kind": "text", "items": [{"value": "a", "included": True}], "mode": "keep"}
    return {
        "name": "Contract bodies",
        "nodes": [
            {**node("list", "list"), "data": names},
            node("each", "forEach", body=body),
            node("out", "responseOutput"),
        ],
        "edges": [
            edge("list", "items-out", "each", "item"),
            edge("each", "results-out", "out", "result-in"),
        ],
        **members,
    }


def pictured(asset: str, **members: Any) -> dict[str, Any]:
    picture = {**node("picture", "upload"), "data": {"asset": asset, "kind": "image"}}
    return each_item(picture, output=("picture", "image-out"), **members)


def asset_of(document: dict[str, Any]) -> str:
    return str(document["nodes"][1]["data"]["body"]["nodes"][1]["data"]["asset"])


def test_a_copy_of_a_template_has_media_of_its_own_in_bodies(
    caller: Caller, stranger: Caller
) -> None:
    asset = upload(caller)
    slug = caller.save(pictured(asset, isTemplate=True))

    copy = stranger.create({"copyOf": slug}).json()

    assert copy["version"] == 1, copy
    assert asset_of(copy) != asset
    caller.delete(f"{LIST}/{slug}")
    caller.delete(f"/api/assets/{asset}")
    (url,) = stranger.run(copy["slug"]).json()["result"]
    assert url.startswith("http")
    stranger.clean()
