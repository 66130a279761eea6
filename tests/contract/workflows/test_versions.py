from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from tests.support.contract.installation import Caller
from tests.support.gateway.documents import greeting, node

ROUTES = {
    "POST /api/workflows/{slug}/restore": "workflow:write",
    "GET /api/workflows/{slug}/versions": "workflow:read",
    "GET /api/workflows/{slug}/versions/{version}": "workflow:read",
    "POST /api/workflows/{slug}/versions/{version}/restore": "workflow:write",
}


def saved_twice(caller: Caller) -> str:
    slug = caller.save(greeting(tags=["first"]))
    answer = caller.put(f"/api/workflows/{slug}", greeting(tags=["second"]))
    assert answer.status_code == 200
    return slug


def test_versions_are_listed_newest_first(caller: Caller) -> None:
    slug = saved_twice(caller)

    answer = caller.get(f"/api/workflows/{slug}/versions")

    assert answer.status_code == 200
    assert answer.json()["nextCursor"] is None
    second, first = answer.json()["rows"]
    facts = {"version", "note", "createdAt", "createdBy", "isLive", "nodeCount"}
    assert set(first) == facts | {"isCanary", "aliases"}
    assert (first["isCanary"], first["aliases"]) == (False, [])
    assert (second["version"], second["isLive"]) == (2, True)
    assert (first["version"], first["isLive"]) == (1, False)
    assert first["note"] is None
    assert first["nodeCount"] == len(greeting()["nodes"])
    assert first["createdBy"] == caller.get("/api/whoami").json()["user"]["id"]
    age = datetime.now(UTC) - datetime.fromisoformat(first["createdAt"])
    assert abs(age) < timedelta(minutes=10)


def test_a_list_of_versions_has_pages(caller: Caller) -> None:
    slug = saved_twice(caller)
    path = f"/api/workflows/{slug}/versions"

    first = caller.get(path, params={"limit": 1}).json()
    last = caller.get(path, params={"limit": 1, "cursor": first["nextCursor"]}).json()

    assert [row["version"] for page in (first, last) for row in page["rows"]] == [2, 1]
    assert last["nextCursor"] is None


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 201}, {"cursor": "x"}, {"cursor": "-1"}], ids=str
)
def test_a_page_that_cannot_be_is_refused(caller: Caller, query: dict[str, str]) -> None:
    slug = caller.save(greeting())

    answer = caller.get(f"/api/workflows/{slug}/versions", params=query)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY")
    assert answer.json()["field"] in query


def test_a_version_is_read_as_the_document_that_it_was(caller: Caller) -> None:
    slug = saved_twice(caller)

    first = caller.get(f"/api/workflows/{slug}/versions/1")
    second = caller.get(f"/api/workflows/{slug}/versions/2")

    assert (first.json()["version"], first.json()["tags"]) == (1, ["first"])
    assert first.headers["etag"] == '"1"'
    assert second.json() == caller.get(f"/api/workflows/{slug}").json()


@pytest.mark.parametrize("version", ["3", "0", "-1", "latest", "1e3", "9" * 40])
def test_a_version_that_is_not_there_is_404(caller: Caller, version: str) -> None:
    slug = saved_twice(caller)

    answer = caller.get(f"/api/workflows/{slug}/versions/{version}")

    assert (answer.status_code, answer.json()["code"]) == (404, "VERSION_NOT_FOUND")


@pytest.mark.parametrize("path", ["versions", "versions/1"])
def test_versions_of_others_are_not_to_be_seen(caller: Caller, stranger: Caller, path: str) -> None:
    private, template = caller.save(greeting()), caller.save(greeting(isTemplate=True))

    unknown = stranger.get(f"/api/workflows/never-saved/{path}")
    foreign = stranger.get(f"/api/workflows/{private}/{path}")
    shown = stranger.get(f"/api/workflows/{template}/{path}")

    assert (foreign.status_code, foreign.json()["code"]) == (404, "WORKFLOW_NOT_FOUND")
    assert foreign.json() == unknown.json()
    assert (shown.status_code, shown.json()["code"]) == (403, "NOT_OWNER")


def test_versions_of_a_deleted_workflow_are_404(caller: Caller) -> None:
    slug = saved_twice(caller)
    caller.delete(f"/api/workflows/{slug}")

    answers = [caller.get(f"/api/workflows/{slug}/{path}") for path in ("versions", "versions/1")]

    assert [each.json()["code"] for each in answers] == ["WORKFLOW_NOT_FOUND"] * 2


def test_a_version_is_restored_as_a_new_one(caller: Caller) -> None:
    slug = saved_twice(caller)
    document = greeting()
    document["nodes"][1]["data"]["text"] = "HELLO {{ name }}"
    caller.put(f"/api/workflows/{slug}", document)
    caller.put(f"/api/workflows/{slug}/draft", document)

    answer = caller.post(f"/api/workflows/{slug}/versions/1/restore")

    assert (answer.status_code, answer.headers["etag"]) == (200, '"4"')
    assert (answer.json()["version"], answer.json()["tags"]) == (4, ["first"])
    assert caller.run(slug, {"name": "Ada"}).json()["result"] == {"text": "Hello Ada"}
    rows = caller.get(f"/api/workflows/{slug}/versions").json()["rows"]
    assert [row["version"] for row in rows if row["isLive"]] == [4]
    assert caller.get(f"/api/workflows/{slug}/draft").json()["basedOn"] == 3


def test_a_restored_version_may_break_callers(caller: Caller) -> None:
    slug = caller.save(greeting(nodes=[node("out", "responseOutput")], edges=[]))
    caller.put(f"/api/workflows/{slug}", greeting())

    answer = caller.post(f"/api/workflows/{slug}/versions/1/restore")

    assert (answer.status_code, answer.json()["version"]) == (200, 3)


@pytest.mark.parametrize("version", ["3", "0", "first"])
def test_a_version_that_is_not_there_is_not_restored(caller: Caller, version: str) -> None:
    slug = saved_twice(caller)

    answer = caller.post(f"/api/workflows/{slug}/versions/{version}/restore")

    assert (answer.status_code, answer.json()["code"]) == (404, "VERSION_NOT_FOUND")


def test_versions_of_others_are_not_restored(caller: Caller, stranger: Caller) -> None:
    private, template = caller.save(greeting()), caller.save(greeting(isTemplate=True))

    foreign = stranger.post(f"/api/workflows/{private}/versions/1/restore")
    shown = stranger.post(f"/api/workflows/{template}/versions/1/restore")

    assert (foreign.status_code, foreign.json()["code"]) == (404, "WORKFLOW_NOT_FOUND")
    assert (shown.status_code, shown.json()["code"]) == (403, "NOT_OWNER")


def test_a_delete_is_taken_back(caller: Caller, anonymous: httpx2.Client) -> None:
    slug = caller.save(greeting(publicPlayground=True, tags=["kept"]))
    before = caller.get(f"/api/workflows/{slug}").json()
    caller.put(f"/api/workflows/{slug}/draft", greeting(tags=["drafted"]))
    caller.delete(f"/api/workflows/{slug}")
    assert caller.run(slug, {"name": "Ada"}).status_code == 404

    answer = caller.post(f"/api/workflows/{slug}/restore")

    assert (answer.status_code, answer.json()) == (200, before)
    assert caller.get(f"/api/workflows/{slug}").json() == before
    assert caller.run(slug, {"name": "Ada"}).status_code == 200
    assert slug in [row["slug"] for row in caller.get("/api/workflows").json()]
    assert anonymous.get(f"/api/workflows/{slug}/public-schema").status_code == 200
    assert caller.get(f"/api/workflows/{slug}/draft").json()["tags"] == ["drafted"]


def test_a_living_workflow_is_not_restored(caller: Caller) -> None:
    slug = caller.save(greeting())

    answer = caller.post(f"/api/workflows/{slug}/restore")

    assert (answer.status_code, answer.json()["code"]) == (409, "WORKFLOW_NOT_DELETED")


def test_a_delete_of_others_is_not_taken_back(caller: Caller, stranger: Caller) -> None:
    slug = caller.save(greeting())
    caller.delete(f"/api/workflows/{slug}")

    for each in (slug, "never-saved"):
        answer = stranger.post(f"/api/workflows/{each}/restore")
        assert (answer.status_code, answer.json()["code"]) == (404, "WORKFLOW_NOT_FOUND")
