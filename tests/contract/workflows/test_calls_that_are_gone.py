"""Runs that call a workflow which was deleted, and one that was taken back."""

from typing import Any

import pytest

from tests.support.contract.installation import Caller
from tests.support.gateway.documents import edge, greeting, node

LIST = "/api/workflows"


def calling(slug: str, **version: int) -> dict[str, Any]:
    return {
        "name": "Contract caller",
        "nodes": [
            node("in", "requestInput", fields=[{"name": "who", "label": "Who", "type": "text"}]),
            node("sub", "subWorkflow", workflow=slug, **version),
            node("out", "responseOutput"),
        ],
        "edges": [
            edge("in", "who", "sub", "name"),
            edge("sub", "result-out", "out", "result-in"),
        ],
    }


@pytest.mark.parametrize("version", [{}, {"version": 1}])
def test_a_call_of_a_deleted_workflow_fails_until_it_is_taken_back(
    caller: Caller, version: dict[str, int]
) -> None:
    inner = caller.save(greeting())
    slug = caller.save(calling(inner, **version))
    assert caller.run(slug, {"who": "Ada"}).json()["result"] == "Hello Ada"
    assert caller.delete(f"{LIST}/{inner}?force=true").status_code == 200

    answer = caller.run(slug, {"who": "Ada"})

    body = answer.json()
    assert (answer.status_code, body["code"]) == (500, "EXECUTION_FAILED"), body
    assert (body["nodeId"], body["nodeCode"]) == ("sub", "workflow_not_found")
    assert f"'{inner}'" in body["reason"]
    assert caller.post(f"{LIST}/{inner}/restore").status_code == 200
    assert caller.run(slug, {"who": "Ada"}).json()["result"] == "Hello Ada"
    caller.delete(f"{LIST}/{slug}")


def test_a_caller_runs_the_version_that_is_live_when_its_node_begins(caller: Caller) -> None:
    inner = caller.save(greeting())
    live = caller.save(calling(inner))
    pinned = caller.save(calling(inner, version=1))
    changed = greeting()
    changed["nodes"][1]["data"]["text"] = "Bye {{ name }}"
    caller.put(f"{LIST}/{inner}", {"nodes": changed["nodes"], "edges": changed["edges"]})

    assert caller.run(live, {"who": "Ada"}).json()["result"] == "Bye Ada"
    assert caller.run(pinned, {"who": "Ada"}).json()["result"] == "Hello Ada"


def test_a_caller_of_a_deleted_workflow_cannot_be_saved(caller: Caller) -> None:
    inner = caller.save(greeting())
    caller.delete(f"{LIST}/{inner}")

    answer = caller.post(LIST, calling(inner))

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_GRAPH")
    assert any(each.get("nodeId") == "sub" for each in answer.json()["problems"])
