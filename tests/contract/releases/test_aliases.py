"""Aliases and canaries by the API."""

from typing import Any

import pytest

from tests.support.contract.installation import Caller
from tests.support.contract.shapes import assert_fits, moment
from tests.support.gateway.documents import greeting

ROUTES = {
    "GET /api/workflows/{slug}/aliases": "workflow:read",
    "GET /api/workflows/{slug}/aliases/{alias_name}": "workflow:read",
    "PUT /api/workflows/{slug}/aliases/{alias_name}": "workflow:write",
    "DELETE /api/workflows/{slug}/aliases/{alias_name}": "workflow:write",
    "POST /api/workflows/{slug}/aliases/{alias_name}/promote": "workflow:write",
    "GET /api/workflows/{slug}/aliases/{alias_name}/history": "workflow:read",
    "GET /api/workflows/{slug}/aliases/{alias_name}/canary": "workflow:read",
}
CANARY: Any = {
    "id": str,
    "version": int,
    "percent": int,
    "minRuns": int,
    "maxErrorRate": None,
    "maxP95Ms": None,
}


def saved_twice(caller: Caller) -> str:
    """Return the slug of a workflow of two versions."""
    slug = caller.save(greeting())
    assert caller.put(f"/api/workflows/{slug}", greeting(tags=["second"])).status_code == 200
    return slug


def published_canary(caller: Caller, slug: str, **rule: Any) -> Any:
    """Publish a draft as the canary of `live`; return the answer."""
    path = f"/api/workflows/{slug}"
    assert caller.put(f"{path}/draft", greeting(tags=["canary"])).status_code == 200
    return caller.post(f"{path}/publish", {"canary": {"percent": 99, **rule}})


def test_an_alias_is_set_read_listed_and_deleted(caller: Caller) -> None:
    path = f"/api/workflows/{saved_twice(caller)}/aliases"

    alias = caller.put(f"{path}/stable", {"version": 1})

    assert alias.status_code == 200
    expected = {"name": "stable", "version": 1, "canary": None, "updatedAt": moment}
    assert_fits(alias.json(), expected)
    assert caller.get(f"{path}/stable").json() == alias.json()
    listed = caller.get(path).json()
    assert [(row["name"], row["version"]) for row in listed["rows"]] == [("live", 2), ("stable", 1)]
    assert listed["nextCursor"] is None
    assert caller.delete(f"{path}/stable").json() == {"success": True}
    for method in ("GET", "DELETE"):
        again = caller.request(method, f"{path}/stable")
        assert (again.status_code, again.json()["code"]) == (404, "ALIAS_NOT_FOUND")


def test_runs_schemas_and_batches_take_an_alias_as_their_version(caller: Caller) -> None:
    slug = saved_twice(caller)
    caller.put(f"/api/workflows/{slug}/aliases/stable", {"version": 1})

    run = caller.run(slug, {"name": "Ada"}, "?version=stable")
    schema = caller.get(f"/api/workflows/{slug}/schema?version=stable")
    batch = caller.post(
        f"/api/workflows/{slug}/batch?version=stable", {"items": [{"inputs": {"name": "Ada"}}]}
    )

    execution = caller.execution(run.json()["executionId"])
    assert (execution["workflowVersion"], execution["alias"]) == (1, "stable")
    listed = caller.get("/api/executions", params={"workflowSlug": slug, "version": 1}).json()
    rows = [row for row in listed["rows"] if row["source"] != "batch"]
    assert [row["alias"] for row in rows] == ["stable"]
    assert schema.status_code == 200
    found = caller.get(batch.json()["pollUrl"]).json()
    assert found["workflowVersion"] == 1


@pytest.mark.parametrize("name", ["unknown", "draft"])
def test_an_alias_that_is_not_there_is_no_version(caller: Caller, name: str) -> None:
    slug = caller.save(greeting())

    for answer in (
        caller.run(slug, {"name": "Ada"}, f"?version={name}"),
        caller.get(f"/api/workflows/{slug}/schema?version={name}"),
        caller.post(f"/api/workflows/{slug}/batch?version={name}", {"items": [{"inputs": {}}]}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "VERSION_NOT_FOUND")


@pytest.mark.parametrize("version", ["0", "-1", "1.5", "A", "a" * 33, ""])
def test_a_text_that_names_no_version_is_refused(caller: Caller, version: str) -> None:
    slug = caller.save(greeting())

    answer = caller.run(slug, {"name": "Ada"}, f"?version={version}")

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY")
    assert answer.json()["field"] == "version"


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("2b", {"version": 1}, "name"),
        ("draft", {"version": 1}, "name"),
        ("stable", {}, "version"),
        ("stable", {"version": "one"}, "version"),
        ("live", {"version": 1}, "version"),
        ("stable", {"version": 1, "canary": 5}, "canary"),
        ("stable", {"version": 1, "canary": {"percent": 5}}, "canary.version"),
        ("stable", {"version": 1, "canary": {"version": 1, "percent": 5}}, "canary.version"),
        ("stable", {"version": 1, "canary": {"version": 2, "percent": 0}}, "canary.percent"),
        ("stable", {"version": 1, "canary": {"version": 2, "percent": 100}}, "canary.percent"),
        (
            "stable",
            {"version": 1, "canary": {"version": 2, "percent": 5, "maxErrorRate": 2}},
            "canary.maxErrorRate",
        ),
        (
            "stable",
            {"version": 1, "canary": {"version": 2, "percent": 5, "share": 1}},
            "canary.share",
        ),
    ],
)
def test_a_wrong_member_is_named(
    caller: Caller, name: str, body: dict[str, Any], field: str
) -> None:
    slug = saved_twice(caller)

    answer = caller.put(f"/api/workflows/{slug}/aliases/{name}", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
    assert answer.json()["field"] == field


def test_an_alias_names_a_version_that_is_kept(caller: Caller) -> None:
    slug = caller.save(greeting())

    answer = caller.put(f"/api/workflows/{slug}/aliases/stable", {"version": 7})

    assert (answer.status_code, answer.json()["code"]) == (404, "VERSION_NOT_FOUND")


def test_the_twenty_first_alias_is_refused(caller: Caller) -> None:
    slug = caller.save(greeting())
    path = f"/api/workflows/{slug}/aliases"
    answers = [caller.put(f"{path}/a{number}", {"version": 1}) for number in range(21)]

    assert [each.status_code for each in answers] == [200] * 20 + [413]
    assert answers[-1].json()["code"] == "QUOTA_EXCEEDED"


def test_live_stays(caller: Caller) -> None:
    slug = caller.save(greeting())

    answer = caller.delete(f"/api/workflows/{slug}/aliases/live")

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")


def test_a_draft_is_published_as_a_canary_and_promoted_under_its_number(caller: Caller) -> None:
    slug = saved_twice(caller)
    path = f"/api/workflows/{slug}"

    published = published_canary(caller, slug, maxErrorRate=0.5)

    assert published.status_code == 200
    assert published.json()["version"] == 3
    assert "etag" not in published.headers
    assert caller.get(path).json()["version"] == 2
    live = caller.get(f"{path}/aliases/live").json()
    assert_fits(live["canary"], {**CANARY, "maxErrorRate": 0.5})
    assert (live["version"], live["canary"]["version"]) == (2, 3)
    rows = caller.get(f"{path}/versions").json()["rows"]
    flags = [(row["version"], row["isLive"], row["isCanary"]) for row in rows]
    assert flags == [(3, False, True), (2, True, False), (1, False, False)]

    promoted = caller.post(f"{path}/aliases/live/promote")

    assert promoted.status_code == 200
    assert (promoted.json()["version"], promoted.json()["canary"]) == (3, None)
    document = caller.get(path).json()
    assert (document["version"], document["tags"]) == (3, ["canary"])
    again = caller.post(f"{path}/aliases/live/promote")
    assert (again.status_code, again.json()["code"]) == (409, "NO_CANARY")
    history = caller.get(f"{path}/aliases/live/history").json()["rows"]
    assert [row["reason"] for row in history] == [
        "The canary was promoted",
        "Version 3 was published as a canary",
    ]
    assert history[0]["by"] == "user"
    assert history[0]["change"]["from"]["canary"]["version"] == 3
    assert history[0]["change"]["to"] == {"version": 3, "canary": None}


def test_runs_that_name_no_version_get_the_canary_and_are_counted(caller: Caller) -> None:
    slug = saved_twice(caller)
    published_canary(caller, slug)
    path = f"/api/workflows/{slug}/aliases/live/canary"

    ids = [caller.run(slug, {"name": "Ada"}).json()["executionId"] for _ in range(12)]

    executions = [caller.execution(each) for each in ids]
    versions = [each["workflowVersion"] for each in executions]
    assert versions.count(3) > 6
    assert {each["alias"] for each in executions} == {"live"}
    figures = caller.get(path).json()
    side: Any = {
        "runs": int,
        "failed": 0,
        "errorRate": float,
        "p50Ms": int,
        "p95Ms": int,
        "durations": list,
    }
    assert_fits(figures["canary"], side)
    assert figures["canary"]["runs"] + figures["live"]["runs"] == 12
    assert figures["canary"]["runs"] == versions.count(3)


def test_a_publication_ends_the_canary(caller: Caller) -> None:
    slug = saved_twice(caller)
    published_canary(caller, slug)

    saved = caller.put(f"/api/workflows/{slug}", greeting(tags=["third"]))

    assert saved.json()["version"] == 4
    assert caller.get(f"/api/workflows/{slug}/aliases/live").json()["canary"] is None
    none = caller.get(f"/api/workflows/{slug}/aliases/live/canary")
    assert (none.status_code, none.json()["code"]) == (409, "NO_CANARY")


def test_a_canary_of_live_is_changed_and_ended(caller: Caller) -> None:
    slug = saved_twice(caller)
    path = f"/api/workflows/{slug}/aliases/live"
    rule = {"version": 1, "percent": 5, "minRuns": 10}

    first = caller.put(path, {"canary": rule}).json()
    same = caller.put(path, {"version": 2, "canary": rule}).json()
    other = caller.put(path, {"canary": {**rule, "percent": 6}}).json()
    ended = caller.put(path, {"canary": None}).json()

    assert first == same
    assert other["canary"]["id"] != first["canary"]["id"]
    assert ended["canary"] is None
    assert len(caller.get(f"{path}/history").json()["rows"]) == 3


def test_a_canary_needs_a_published_version(caller: Caller) -> None:
    slug = caller.save({**greeting(), "draft": True})

    answer = published_canary(caller, slug)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
    assert answer.json()["field"] == "canary"


def test_a_wrong_rule_is_refused_before_the_publication(caller: Caller) -> None:
    slug = saved_twice(caller)

    answer = published_canary(caller, slug, version=2)

    assert (answer.status_code, answer.json()["field"]) == (400, "canary.version")
    assert caller.get(f"/api/workflows/{slug}/draft").status_code == 200


def test_a_copy_has_no_aliases(caller: Caller) -> None:
    slug = saved_twice(caller)
    caller.put(f"/api/workflows/{slug}/aliases/stable", {"version": 1})

    copy = caller.create({"copyOf": slug, "name": "Copy"}).json()["slug"]

    rows = caller.get(f"/api/workflows/{copy}/aliases").json()["rows"]
    assert [row["name"] for row in rows] == ["live"]


def test_a_deleted_workflow_comes_back_without_aliases(caller: Caller) -> None:
    slug = saved_twice(caller)
    caller.put(f"/api/workflows/{slug}/aliases/stable", {"version": 1})

    caller.delete(f"/api/workflows/{slug}")
    caller.post(f"/api/workflows/{slug}/restore")

    rows = caller.get(f"/api/workflows/{slug}/aliases").json()["rows"]
    assert [row["name"] for row in rows] == ["live"]
