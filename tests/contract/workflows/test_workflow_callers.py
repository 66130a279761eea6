"""Workflows that others call: their deletion, and changes that break their callers."""

from copy import deepcopy
from typing import Any

from tests.support.contract.installation import Caller
from tests.support.gateway.documents import greeting, node


def calling(name: str, slug: str, **members: Any) -> dict[str, Any]:
    """Return a draft that calls a workflow."""
    nodes = [node("call", "subWorkflow", workflow=slug)]
    return {"name": name, "nodes": nodes, "edges": [], "draft": True, **members}


def test_a_called_workflow_is_in_use_until_the_delete_is_forced(caller: Caller) -> None:
    slug = caller.save(greeting())
    users = sorted(caller.create(calling(name, slug)).json()["slug"] for name in ("Aa", "Bb"))

    answer = caller.delete(f"/api/workflows/{slug}")

    body = answer.json()
    assert (answer.status_code, body["code"]) == (409, "WORKFLOW_IN_USE")
    assert body["usedBy"] == users
    assert all(each in body["error"] for each in users)
    assert caller.get(f"/api/workflows/{slug}").status_code == 200

    answer = caller.delete(f"/api/workflows/{slug}?force=true")
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert caller.get(f"/api/workflows/{slug}").status_code == 404


def test_a_workflow_whose_callers_are_gone_is_not_in_use(caller: Caller) -> None:
    slug = caller.save(greeting())
    deleted = caller.create(calling("Deleted", slug)).json()["slug"]
    changed = caller.create(calling("Changed", slug)).json()["slug"]
    assert caller.delete(f"/api/workflows/{deleted}").status_code == 200
    assert caller.delete(f"/api/workflows/{slug}").json()["usedBy"] == [changed]

    caller.put(f"/api/workflows/{changed}/draft", {"name": "Changed", "nodes": [], "edges": []})

    assert caller.delete(f"/api/workflows/{slug}").status_code == 200


def test_calls_in_bodies_count_and_a_call_of_itself_does_not(caller: Caller) -> None:
    slug = caller.save(greeting())
    body = {"nodes": [node("call", "subWorkflow", workflow=slug)], "edges": []}
    looping = [node("each", "forEach", body=body)]
    user = caller.create({"name": "Body", "nodes": looping, "edges": [], "draft": True})
    caller.put(f"/api/workflows/{slug}/draft", {**calling("Self", slug), "draft": False})

    assert caller.delete(f"/api/workflows/{slug}").json()["usedBy"] == [user.json()["slug"]]


def test_a_wrong_force_is_refused(caller: Caller) -> None:
    slug = caller.save(greeting())

    answer = caller.delete(f"/api/workflows/{slug}?force=perhaps")

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY")
    assert answer.json()["field"] == "force"


def test_a_breaking_change_names_the_workflows_that_call_this_one(caller: Caller) -> None:
    slug = caller.save(greeting())
    user = caller.create(calling("User", slug)).json()["slug"]
    document = deepcopy(greeting())
    document["nodes"][0]["data"] = {"fields": [], "values": {}}
    document["nodes"][1]["data"]["text"] = "Hello"
    document["edges"] = document["edges"][1:]
    assert caller.put(f"/api/workflows/{slug}/draft", document).json()["problems"] == []

    answer = caller.post(f"/api/workflows/{slug}/publish")

    body = answer.json()
    assert (answer.status_code, body["code"]) == (409, "BREAKING_CHANGE")
    assert body["usedBy"] == [user]
    assert f"'{user}'" in body["error"]
    assert caller.post(f"/api/workflows/{slug}/publish", {"force": True}).status_code == 200
