from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.support.contract.installation import NEVER, Administration, Caller
from tests.support.gateway.documents import broken, edge, greeting, node

ROUTES = {
    "GET /api/workflows/{slug}/draft": "workflow:read",
    "PUT /api/workflows/{slug}/draft": "workflow:write",
    "DELETE /api/workflows/{slug}/draft": "workflow:write",
    "POST /api/workflows/{slug}/publish": "workflow:write",
}
WORDS = {"name": "Greeting", "nodes": greeting()["nodes"], "edges": greeting()["edges"]}


def shouting(**members: Any) -> dict[str, Any]:
    """The greeting with another text."""
    document = greeting(**members)
    document["nodes"][1]["data"]["text"] = "HELLO {{ name }}"
    return document


def charged() -> dict[str, Any]:
    nodes = [
        node("m", "customModel", model="echo", prompt="a"),
        node("out", "responseOutput"),
    ]
    return {"name": "Charged", "nodes": nodes, "edges": [edge("m", "text-out", "out", "result-in")]}


def draft_of(slug: str) -> str:
    return f"/api/workflows/{slug}/draft"


def refused(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"]) == (status, code)
    return body


def places(problem: dict[str, str]) -> dict[str, str]:
    """Return a problem of a check as errors show it, without its setting and socket."""
    return {name: each for name, each in problem.items() if name not in {"field", "socket"}}


def test_a_draft_is_written_and_told_apart_by_its_revision(caller: Caller) -> None:
    slug = caller.save(greeting())

    first = caller.put(draft_of(slug), shouting())
    second = caller.put(draft_of(slug), shouting(tags=["loud"]))

    assert (first.status_code, second.status_code) == (200, 200)
    assert set(first.json()) == {
        *("revision", "basedOn", "savedAt"),
        *("problems", "sockets", "estimate"),
    }
    assert (first.json()["revision"], first.json()["basedOn"]) == (1, 1)
    assert (second.json()["revision"], second.headers["etag"]) == (2, '"2"')
    assert second.json()["problems"] == []
    age = datetime.now(UTC) - datetime.fromisoformat(second.json()["savedAt"])
    assert abs(age) < timedelta(minutes=10)


def test_a_draft_is_read_as_it_was_written(caller: Caller) -> None:
    slug = caller.save(greeting())
    document = shouting(tags=["loud"], description="Louder")
    caller.put(draft_of(slug), document)

    answer = caller.get(draft_of(slug))

    assert answer.status_code == 200
    assert answer.headers["etag"] == '"1"'
    assert answer.json().items() >= document.items()
    assert (answer.json()["revision"], answer.json()["basedOn"]) == (1, 1)
    again = caller.put(draft_of(slug), answer.json())
    assert again.status_code == 200


def test_a_draft_that_is_known_is_not_sent_again(caller: Caller) -> None:
    path = f"/api/workflows/{caller.save(greeting())}/draft"
    tag = caller.put(path, greeting()).headers["etag"]

    known = caller.get(path, headers={"if-none-match": tag})
    caller.put(path, greeting())
    moved_on = caller.get(path, headers={"if-none-match": tag})

    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)
    assert (moved_on.status_code, moved_on.json()["revision"]) == (200, 2)


def test_a_draft_touches_nothing_that_callers_get(caller: Caller) -> None:
    slug = caller.save(greeting())
    before = caller.get(f"/api/workflows/{slug}").json()

    caller.put(draft_of(slug), broken())

    assert caller.get(f"/api/workflows/{slug}").json() == before
    assert caller.get(f"/api/workflows/{slug}/schema").status_code == 200
    assert caller.run(slug, {"name": "Ada"}).json()["result"] == {"text": "Hello Ada"}
    versions = caller.get(f"/api/workflows/{slug}/versions").json()["rows"]
    assert [row["version"] for row in versions] == [1]


def test_an_invalid_graph_is_saved_and_its_problems_are_told(caller: Caller) -> None:
    slug = caller.save(greeting())

    answer = caller.put(draft_of(slug), broken())

    assert answer.status_code == 200
    assert {each.get("nodeId", each.get("edgeId")) for each in answer.json()["problems"]} == {
        "a",
        "b.text-out-c.in",
    }
    assert caller.get(draft_of(slug)).json()["nodes"] == broken()["nodes"]


@pytest.mark.parametrize("document", [shouting(), broken(), charged()])
def test_each_write_answers_as_a_check_of_the_graph(
    caller: Caller, document: dict[str, Any]
) -> None:
    slug = caller.save(greeting())
    graph = {name: document[name] for name in ("nodes", "edges")}
    checked = caller.post("/api/workflows/check", graph).json()

    written = caller.put(draft_of(slug), document).json()
    merged = caller.put(f"/api/workflows/{slug}", {**graph, "draft": True}).json()

    for answer in (written, merged):
        assert {name: answer[name] for name in checked} == checked


def test_a_write_replaces_the_whole_draft_but_for_a_name_that_it_leaves_out(
    caller: Caller,
) -> None:
    slug = caller.save(greeting(tags=["published"]))
    caller.put(draft_of(slug), greeting(tags=["drafted"], description="Greets"))

    caller.put(draft_of(slug), {key: WORDS[key] for key in ("nodes", "edges")})

    read = caller.get(draft_of(slug)).json()
    assert (read["name"], read["tags"], read["description"]) == ("Greeting", [], "")


@pytest.mark.parametrize("member", [{"nodes": {}}, {"name": 5}, {"tags": "a"}, {"cover": "x"}])
def test_a_draft_of_the_wrong_shape_is_refused(caller: Caller, member: dict[str, Any]) -> None:
    slug = caller.save(greeting())

    body = refused(caller.put(draft_of(slug), greeting() | member), 400, "INVALID_BODY")

    assert body["field"] in member
    refused(caller.get(draft_of(slug)), 404, "DRAFT_NOT_FOUND")


@pytest.mark.parametrize("tag", ["1", '"1"', "*", '"7", "1"'])
def test_a_draft_is_replaced_by_who_has_read_it(caller: Caller, tag: str) -> None:
    slug = caller.save(greeting())
    caller.put(draft_of(slug), greeting(), headers={"If-Match": "0"})

    answer = caller.put(draft_of(slug), shouting(), headers={"If-Match": tag})

    assert answer.json()["revision"] == 2


@pytest.mark.parametrize("tag", ["0", "2", '"9"', "nonsense"])
def test_a_draft_that_has_moved_on_is_not_replaced(caller: Caller, tag: str) -> None:
    slug = caller.save(greeting())
    caller.put(draft_of(slug), greeting())

    for method in ("PUT", "DELETE"):
        answer = caller.request(method, draft_of(slug), json=shouting(), headers={"If-Match": tag})
        assert refused(answer, 412, "VERSION_CONFLICT")["revision"] == 1

    assert caller.get(draft_of(slug)).json()["nodes"] == greeting()["nodes"]


def test_a_discarded_draft_is_gone(caller: Caller) -> None:
    slug = caller.save(greeting())
    caller.put(draft_of(slug), shouting())

    answer = caller.delete(draft_of(slug))

    assert (answer.status_code, answer.json()) == (200, {"success": True})
    refused(caller.get(draft_of(slug)), 404, "DRAFT_NOT_FOUND")
    refused(caller.delete(draft_of(slug)), 404, "DRAFT_NOT_FOUND")
    assert caller.put(draft_of(slug), shouting(), headers={"If-Match": "0"}).status_code == 200


def test_a_later_save_leaves_the_draft_which_is_then_behind(caller: Caller) -> None:
    slug = caller.save(greeting())
    caller.put(draft_of(slug), shouting())

    saved = caller.put(f"/api/workflows/{slug}", greeting(tags=["later"]))

    assert saved.json()["version"] == 2
    assert caller.get(draft_of(slug)).json()["basedOn"] == 1
    assert caller.put(draft_of(slug), shouting()).json()["basedOn"] == 1


@pytest.mark.parametrize("member", ["publicPlayground", "isTemplate"])
def test_a_draft_does_not_show_again_a_workflow_that_was_hidden_meanwhile(
    caller: Caller, member: str
) -> None:
    slug = caller.save(greeting(**{member: True}))
    caller.put(draft_of(slug), shouting(**{member: True}))

    caller.put(f"/api/workflows/{slug}", {member: False})

    assert caller.get(draft_of(slug)).json()[member] is False
    assert caller.post(f"/api/workflows/{slug}/publish").json()[member] is False


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_drafts_of_others_are_not_to_be_seen_nor_written(
    caller: Caller, stranger: Caller, method: str
) -> None:
    private, template = caller.save(greeting()), caller.save(greeting(isTemplate=True))
    for slug in (private, template):
        caller.put(draft_of(slug), shouting())

    def ask(slug: str) -> httpx2.Response:
        body = greeting() if method == "PUT" else None
        return stranger.request(method, draft_of(slug), json=body)

    foreign = refused(ask(private), 404, "WORKFLOW_NOT_FOUND")
    assert foreign == refused(ask("never-saved"), 404, "WORKFLOW_NOT_FOUND")
    refused(ask(template), 403, "NOT_OWNER")


def test_a_key_that_reads_does_not_write_drafts(administration: Administration) -> None:
    account = administration.account("pro")
    writer, reader = (
        administration.with_key(administration.key(account, *held))
        for held in (("workflow:write", "workflow:read"), ("workflow:read",))
    )
    slug = writer.save(greeting())
    writer.put(draft_of(slug), shouting())

    assert reader.get(draft_of(slug)).status_code == 200
    refused(reader.put(draft_of(slug), greeting()), 403, "CAPABILITY_DENIED")
    refused(reader.delete(draft_of(slug)), 403, "CAPABILITY_DENIED")


@pytest.mark.parametrize(("tier", "limit"), [("pro", "120"), ("business", "1200")])
def test_writes_of_drafts_have_a_window_of_their_own(
    administration: Administration, tier: str, limit: str
) -> None:
    caller = administration.caller(tier)
    slug = caller.save(greeting())

    drafts = [caller.put(draft_of(slug), shouting()) for _ in range(2)]
    saved = caller.put(f"/api/workflows/{slug}", greeting())

    assert {each.headers["x-ratelimit-limit"] for each in drafts} == {limit}
    assert int(saved.headers["x-ratelimit-limit"]) == int(limit) // 2
    assert int(saved.headers["x-ratelimit-remaining"]) >= int(limit) // 2 - 2


def test_enterprise_writes_drafts_without_a_limit(administration: Administration) -> None:
    caller = administration.caller("enterprise")
    slug = caller.save(greeting())

    answer = caller.put(draft_of(slug), shouting())

    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith(("x-ratelimit", "ratelimit"))]


def publish(caller: Caller, slug: str, **body: Any) -> httpx2.Response:
    return caller.post(f"/api/workflows/{slug}/publish", body)


def test_a_published_draft_is_what_callers_run(caller: Caller) -> None:
    slug = caller.save(greeting())
    caller.put(draft_of(slug), shouting(tags=["loud"]))

    answer = publish(caller, slug, note="Louder")

    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert answer.json() == caller.get(f"/api/workflows/{slug}").json()
    assert (answer.json()["version"], answer.json()["tags"]) == (2, ["loud"])
    assert caller.run(slug, {"name": "Ada"}).json()["result"] == {"text": "HELLO Ada"}
    newest = caller.get(f"/api/workflows/{slug}/versions").json()["rows"][0]
    assert (newest["version"], newest["note"], newest["isLive"]) == (2, "Louder", True)


def test_publishing_takes_the_draft_away(caller: Caller) -> None:
    slug = caller.save(greeting())
    caller.put(draft_of(slug), shouting())
    publish(caller, slug)

    refused(caller.get(draft_of(slug)), 404, "DRAFT_NOT_FOUND")
    refused(publish(caller, slug), 404, "DRAFT_NOT_FOUND")


def test_publishing_needs_no_body(caller: Caller) -> None:
    slug = caller.save(greeting())
    caller.put(draft_of(slug), shouting())

    answer = caller.client.post(f"/api/workflows/{slug}/publish")

    assert (answer.status_code, answer.json()["version"]) == (200, 2)


@pytest.mark.parametrize("body", [{"note": 5}, {"note": "x" * 1001}, {"force": "yes"}], ids=repr)
def test_a_note_is_a_short_text_and_force_a_flag(caller: Caller, body: dict[str, Any]) -> None:
    slug = caller.save(greeting())
    caller.put(draft_of(slug), shouting())

    answer = refused(publish(caller, slug, **body), 400, "INVALID_BODY")

    assert answer["field"] in body
    assert caller.get(draft_of(slug)).status_code == 200


def test_a_draft_with_problems_is_not_published(caller: Caller) -> None:
    slug = caller.save(greeting())
    problems = caller.put(draft_of(slug), broken()).json()["problems"]

    for force in (False, True):
        body = refused(publish(caller, slug, force=force), 400, "INVALID_GRAPH")
        assert body["problems"] == [places(each) for each in problems]

    assert caller.get(draft_of(slug)).status_code == 200
    assert caller.run(slug, {"name": "Ada"}).status_code == 200


def test_a_change_that_breaks_callers_is_refused_with_reasons_unless_forced(
    caller: Caller,
) -> None:
    slug = caller.save(greeting())
    document = deepcopy(shouting())
    document["nodes"][0]["data"]["fields"][0]["name"] = "person"
    document["nodes"][1]["data"]["text"] = "HELLO {{ person }}"
    document["edges"][0] |= {"sourceHandle": "person", "targetHandle": "person"}
    document["nodes"][0]["data"]["values"] = {}
    assert caller.put(draft_of(slug), document).json()["problems"] == []

    body = refused(publish(caller, slug), 409, "BREAKING_CHANGE")

    assert len(body["changes"]) == 2
    assert any("'name'" in each for each in body["changes"])
    assert caller.run(slug, {"name": "Ada"}).status_code == 200
    assert caller.get(draft_of(slug)).status_code == 200
    assert publish(caller, slug, force=True).json()["version"] == 2
    assert caller.run(slug, {"person": "Ada"}).json()["result"] == {"text": "HELLO Ada"}


def test_a_save_is_never_refused_for_breaking_callers(caller: Caller) -> None:
    slug = caller.save(greeting())
    document = greeting(nodes=[node("out", "responseOutput")], edges=[])

    answer = caller.put(f"/api/workflows/{slug}", document)

    assert (answer.status_code, answer.json()["version"]) == (200, 2)


def test_a_revision_that_was_not_read_is_not_published(caller: Caller) -> None:
    slug = caller.save(greeting())
    caller.put(draft_of(slug), shouting())
    caller.put(draft_of(slug), shouting(tags=["by another"]))
    path = f"/api/workflows/{slug}/publish"

    stale = caller.post(path, {}, headers={"If-Match": '"1"'})
    read = caller.post(path, {}, headers={"If-Match": '"2"'})

    assert refused(stale, 412, "VERSION_CONFLICT")["revision"] == 2
    assert read.status_code == 200


def test_drafts_of_others_are_not_published(caller: Caller, stranger: Caller) -> None:
    private, template = caller.save(greeting()), caller.save(greeting(isTemplate=True))
    for slug in (private, template):
        caller.put(draft_of(slug), shouting())

    refused(publish(stranger, private), 404, "WORKFLOW_NOT_FOUND")
    refused(publish(stranger, template), 403, "NOT_OWNER")


def test_an_execution_finishes_on_the_version_that_it_began_with(caller: Caller) -> None:
    document = greeting()
    document["nodes"].append(node("wait", "httpRequest", **NEVER))
    document["nodes"][2]["data"] = {"fields": [{"name": "text"}, {"name": "call"}]}
    document["edges"][1]["targetHandle"] = "text"
    document["edges"].append(edge("wait", "response-out", "out", "call"))
    slug = caller.save(document)
    begun = caller.start(slug, {"name": "Ada"})
    caller.put(draft_of(slug), shouting())

    assert publish(caller, slug, force=True).status_code == 200

    assert caller.execution(begun)["workflowVersion"] == 1
    assert caller.execution(caller.start(slug, {"name": "Ada"}))["workflowVersion"] == 2


def test_a_workflow_may_begin_with_a_draft_alone(caller: Caller) -> None:
    answer = caller.create(broken(draft=True))

    assert (answer.status_code, answer.json()["version"]) == (201, None)
    slug = answer.json()["slug"]
    assert caller.get(f"/api/workflows/{slug}").json() == answer.json()
    assert slug in [row["slug"] for row in caller.get("/api/workflows").json()]
    draft = caller.get(draft_of(slug)).json()
    assert (draft["revision"], draft["basedOn"], draft["nodes"]) == (1, None, broken()["nodes"])
    ran = refused(caller.run(slug), 409, "WORKFLOW_NOT_RUNNABLE")
    assert ran["problems"] == caller.put(draft_of(slug), broken()).json()["problems"]
    assert caller.get(f"/api/workflows/{slug}/versions").json()["rows"] == []


def test_a_draft_without_problems_does_not_run_before_it_is_published(caller: Caller) -> None:
    slug = caller.save(greeting(draft=True))

    refused(caller.run(slug, {"name": "Ada"}), 409, "WORKFLOW_NOT_RUNNABLE")
    refused(caller.get(f"/api/workflows/{slug}/schema"), 409, "WORKFLOW_NOT_RUNNABLE")
    assert publish(caller, slug).json()["version"] == 1
    assert caller.run(slug, {"name": "Ada"}).json()["result"] == {"text": "Hello Ada"}


def test_a_save_publishes_what_was_never_published(caller: Caller) -> None:
    slug = caller.save(broken(draft=True))

    answer = caller.put(f"/api/workflows/{slug}", greeting())

    assert (answer.status_code, answer.json()["version"]) == (200, 1)
    refused(caller.get(draft_of(slug)), 404, "DRAFT_NOT_FOUND")
    assert caller.run(slug, {"name": "Ada"}).status_code == 200


def test_a_save_with_draft_merges_into_the_draft(caller: Caller) -> None:
    slug = caller.save(greeting(tags=["published"]))
    path = f"/api/workflows/{slug}"
    before = caller.get(path).json()

    first = caller.put(path, {"draft": True, "description": "Greets"})
    second = caller.put(path, {"draft": True, "nodes": broken()["nodes"]})

    assert (first.status_code, first.json()["revision"], first.json()["basedOn"]) == (200, 1, 1)
    assert (second.json()["revision"], second.headers["etag"]) == (2, '"2"')
    assert second.json()["problems"] != []
    merged = caller.get(draft_of(slug)).json()
    assert (merged["tags"], merged["description"]) == (["published"], "Greets")
    assert merged["nodes"] == broken()["nodes"]
    assert caller.get(path).json() == before


def test_a_save_with_draft_is_guarded_by_its_revision(caller: Caller) -> None:
    slug = caller.save(greeting())
    path, body = f"/api/workflows/{slug}", {"draft": True, "tags": ["a"]}

    assert caller.put(path, body, headers={"If-Match": "0"}).status_code == 200
    stale = caller.put(path, body, headers={"If-Match": "0"})

    assert refused(stale, 412, "VERSION_CONFLICT")["revision"] == 1


def test_a_save_with_draft_counts_as_a_write_of_a_draft(administration: Administration) -> None:
    caller = administration.caller("pro")
    slug = caller.save(greeting())
    path = f"/api/workflows/{slug}"

    drafted = caller.put(path, {"draft": True})
    saved = caller.put(path, {"tags": ["a"]})
    wrong = caller.client.put(path, content=b"{", headers={"content-type": "application/json"})

    limits = [each.headers["x-ratelimit-limit"] for each in (drafted, saved, wrong)]
    assert limits == ["120", "60", "60"]


def test_what_was_never_published_is_deleted_with_its_draft(caller: Caller) -> None:
    slug = caller.save(broken(draft=True))

    assert caller.delete(draft_of(slug)).status_code == 200
    refused(caller.get(f"/api/workflows/{slug}"), 404, "WORKFLOW_NOT_FOUND")
    taken_back = caller.post(f"/api/workflows/{slug}/restore")

    assert (taken_back.status_code, taken_back.json()["nodes"]) == (200, broken()["nodes"])
