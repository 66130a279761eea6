from typing import Any

import httpx2
import jsonschema_rs
import pytest

from tests.support.contract.installation import Caller, field, params
from tests.support.contract.shapes import anything, assert_fits, number
from tests.support.gateway.documents import greeting

KINDS = (
    "text",
    "textarea",
    "number",
    "slider",
    "pills",
    "toggle",
    "image",
    "video",
    "audio",
    "json",
)
FIELD = {
    "name": str,
    "label": str,
    "type": lambda value: value in KINDS,
    "required": bool,
    "default?": anything,
    "options?": [anything],
    "min?": number,
    "max?": number,
    "step?": number,
    "maxLength?": int,
    "helperText?": str,
}
SCHEMA = {"name": str, "description": str, "fields": [FIELD], "values": dict}


def full(**members: Any) -> dict[str, Any]:
    """Return a workflow with a field of every type."""
    fields = [field(kind, kind) for kind in KINDS if kind != "pills"]
    fields.append(field("pills", "pills", options=["a", "b"], default="a", helperText="One."))
    fields.append(field("size", "number", min=1, max=9, step=2, default=3, required=True))
    fields.append(field("title", "text", maxLength=9))
    values = {"size": 5, "title": "Saved"}
    return {**params(*fields, values=values), "description": "All of them", **members}


def test_a_schema_shows_the_fields_and_the_saved_values(caller: Caller) -> None:
    answer = caller.get(f"/api/workflows/{caller.save(full())}/schema")

    body = answer.json()
    assert answer.status_code == 200
    assert_fits(body, {**SCHEMA, "estimatedCreditCost": number})
    assert (body["name"], body["description"]) == ("Contract", "All of them")
    assert body["values"] == {"size": 5, "title": "Saved"}
    shown = {each["name"]: each for each in body["fields"]}
    assert shown.keys() == {*KINDS, "size", "title"}
    expected = {"min": 1, "max": 9, "step": 2, "default": 3, "required": True, "type": "number"}
    assert shown["size"] == {"name": "size", "label": "Size", **expected}
    assert shown["title"]["maxLength"] == 9
    assert (shown["pills"]["options"], shown["pills"]["helperText"]) == (["a", "b"], "One.")


def test_a_public_schema_is_the_same_without_the_estimate(
    caller: Caller, anonymous: httpx2.Client
) -> None:
    slug = caller.save(full(publicPlayground=True))

    own = caller.get(f"/api/workflows/{slug}/schema").json()
    public = anonymous.get(f"/api/workflows/{slug}/public-schema").json()

    del own["estimatedCreditCost"]
    assert public == own
    assert_fits(public, SCHEMA)


@pytest.mark.parametrize("path", ["schema", "public-schema"])
def test_a_schema_is_also_served_as_json_schema(
    caller: Caller, anonymous: httpx2.Client, path: str
) -> None:
    slug = caller.save(full(publicPlayground=True))
    client = anonymous if path == "public-schema" else caller.client

    answer = client.get(
        f"/api/workflows/{slug}/{path}", headers={"accept": "application/schema+json"}
    )

    validator = jsonschema_rs.Draft202012Validator(answer.json())
    assert answer.headers["content-type"] == "application/schema+json"
    assert answer.json()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert validator.is_valid({"size": 5})
    assert not validator.is_valid({"size": 0})
    assert not validator.is_valid({"size": 5, "title": "much too long"})


def test_a_workflow_without_a_request_input_has_no_fields(caller: Caller) -> None:
    document = greeting()
    document["nodes"] = [
        {"id": "text", "type": "textBox", "position": {"x": 0, "y": 0}, "data": {"text": "Hi"}},
        {"id": "out", "type": "responseOutput", "position": {"x": 0, "y": 0}, "data": {}},
    ]
    document["edges"] = document["edges"][1:]

    body = caller.get(f"/api/workflows/{caller.save(document)}/schema").json()

    assert (body["fields"], body["values"]) == ([], {})
