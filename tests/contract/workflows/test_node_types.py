"""`GET /api/node-types`: every node type, its settings and its sockets."""

from typing import Any

import httpx2
import jsonschema_rs

from tests.support.contract.installation import Administration, Caller
from tests.support.contract.shapes import assert_fits, sentence, text_or_null
from tests.support.gateway.documents import edge

ROUTES = {"GET /api/node-types": "workflow:read or model:run"}
"""The requirement of the route on its caller, as reviewed."""

NO_RETRY = ("subWorkflow", "forEach", "delay", "approval")
PATH = "/api/node-types"
ROW = {
    "type": str,
    "category": str,
    "label": str,
    "description": sentence,
    "settings": dict,
    "inputs": [{"name": str, "type": str, "many": bool, "required": bool}],
    "outputs": [{"name": str, "type": str}],
    "isDynamic": bool,
    "available": bool,
    "unavailableReason": text_or_null,
}
CATEGORIES = {
    "requestInput": "Inputs",
    "upload": "Inputs",
    "textBox": "Utilities",
    "assistant": "LLMs",
    "imageGenerator": "Image Models",
    "videoGenerator": "Video Models",
    "musicGenerator": "Music Models",
    "transcribe": "Speech",
    "speak": "Speech",
    "list": "Utilities",
    "httpRequest": "Utilities",
    "customModel": "Custom",
    "responseOutput": "Outputs",
    "transform": "Utilities",
    "condition": "Utilities",
    "merge": "Utilities",
    "switch": "Utilities",
    "note": "Utilities",
}


def catalogue(caller: Caller) -> dict[str, Any]:
    answer = caller.get(PATH)
    assert answer.status_code == 200
    assert_fits(answer.json(), [ROW])
    return {row["type"]: row for row in answer.json()}


def test_every_node_type_is_listed_with_its_category(caller: Caller) -> None:
    found = catalogue(caller)

    assert {name: found[name]["category"] for name in CATEGORIES} == CATEGORIES
    for row in found.values():
        assert row["available"] is (row["unavailableReason"] is None)


def test_settings_are_a_schema_with_defaults_and_controls(caller: Caller) -> None:
    for name, row in catalogue(caller).items():
        jsonschema_rs.validator_for(row["settings"])
        members = row["settings"]["properties"]
        assert all(each["x-widget"] for each in members.values())
        assert ("timeoutSeconds" in members) is (name != "delay")
        assert "onError" in members
        assert ("retry" in members) is (name not in NO_RETRY)
    merge = catalogue(caller)["merge"]["settings"]["properties"]["mode"]
    assert (merge["default"], merge["enum"]) == ("first", ["first", "all", None])


def test_a_save_refuses_the_settings_that_the_schema_refuses(caller: Caller) -> None:
    schema = catalogue(caller)["merge"]["settings"]
    for data, is_right in [({"mode": "all"}, True), ({"mode": "some"}, False), ({}, True)]:
        nodes = [
            {"id": "a", "type": "textBox", "data": {"text": "x"}},
            {"id": "m", "type": "merge", "data": data},
        ]
        body = {"name": "M", "nodes": nodes, "edges": [edge("a", "text-out", "m", "value-in")]}

        assert jsonschema_rs.is_valid(schema, data) is is_right
        assert caller.create(body).status_code == (201 if is_right else 400)


def test_sockets_are_those_of_a_node_without_settings(caller: Caller) -> None:
    found = catalogue(caller)

    assert found["merge"]["inputs"] == [
        {"name": "value-in", "type": "any", "many": True, "required": True}
    ]
    assert found["merge"]["outputs"] == [{"name": "value-out", "type": "any"}]
    assert found["merge"]["isDynamic"] is False
    assert found["textBox"]["isDynamic"] is True


def test_an_answer_has_an_etag_by_which_it_is_sent_once(caller: Caller) -> None:
    tag = caller.get(PATH).headers["etag"]

    again = caller.get(PATH, headers={"If-None-Match": f'"other", {tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert caller.get(PATH, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_key_that_reads_workflows_or_runs_models_may_ask(
    administration: Administration, anonymous: httpx2.Client
) -> None:
    account = administration.account("business")
    for capability, status in [("workflow:read", 200), ("model:run", 200), ("workflow:run", 403)]:
        key = administration.key(account, capability)
        assert anonymous.get(PATH, headers={"x-api-key": key}).status_code == status
    assert anonymous.get(PATH).status_code == 401
