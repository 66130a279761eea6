from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.contract.installation import Caller, never, open_client
from tests.support.contract.shapes import assert_fits, moment, number, sentence, text_or_null
from tests.support.gateway.documents import broken, edge, greeting, node

NODE = {"id": str, "type": str, "position": {"x": number, "y": number}, "data": dict}
EDGE = {"id": str, "source": str, "target": str, "sourceHandle": str, "targetHandle": str}
DOCUMENT = {
    "slug": str,
    "name": str,
    "description?": str,
    "tags?": [str],
    "nodes": [NODE],
    "edges": [EDGE],
    "viewport": {"x": number, "y": number, "zoom": number},
    "publicPlayground": bool,
    "isTemplate": bool,
    "folderId": text_or_null,
    "cover": text_or_null,
    "hidden": bool,
    "archived": bool,
    "recordValues": "all",
    "editor?": dict,
    "version": int,
    "createdBy": str,
    "createdAt": moment,
    "updatedAt": moment,
}
ROW = {
    "slug": str,
    "name": str,
    "description": str,
    "tags": [str],
    "isTemplate": bool,
    "hidden": bool,
    "archived": bool,
    "cover": text_or_null,
    "createdBy": str,
    "estimatedCreditCost": number,
    "folderId": text_or_null,
    "updatedAt": moment,
}


def path(slug: str) -> str:
    return f"/api/workflows/{slug}"


def test_a_new_workflow_is_answered_whole(caller: Caller) -> None:
    given = greeting(description="Says hello", tags=["a"], viewport={"x": 1, "y": -2.5, "zoom": 2})

    answer = caller.create(given)

    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["etag"] == '"1"'
    assert_fits(body, DOCUMENT)
    assert {name: body[name] for name in given} == given
    assert (body["version"], body["publicPlayground"], body["isTemplate"]) == (1, False, False)
    assert body == caller.get(path(body["slug"])).json()


def test_what_is_read_may_be_posted_again(caller: Caller) -> None:
    first = caller.create(greeting(folderId="f", publicPlayground=True)).json()

    second = caller.create(first).json()
    updated = caller.put(path(first["slug"]), first)

    own = ("slug", "createdAt", "updatedAt")
    assert second["slug"] != first["slug"]
    assert all(second[name] == first[name] for name in first if name not in own)
    assert (updated.json()["nodes"], updated.json()["version"]) == (first["nodes"], 2)


def test_the_list_is_a_bare_array(caller: Caller) -> None:
    slug = caller.save(greeting(hidden=True, archived=True, cover="https://example.org/c.png"))

    rows = caller.get("/api/workflows").json()

    assert all(row.keys() >= ROW.keys() for row in rows)
    (row,) = [each for each in rows if each["slug"] == slug]
    assert_fits(
        {name: row[name] for name in ROW}, ROW | {"hidden": True, "archived": True, "cover": str}
    )


def test_the_list_has_ones_own_and_templates_of_others(caller: Caller, stranger: Caller) -> None:
    own = stranger.save(greeting("Their own"))
    private, template = caller.save(greeting()), caller.save(greeting(isTemplate=True))

    slugs = [each["slug"] for each in stranger.get("/api/workflows").json()]

    assert {own, template} <= set(slugs)
    assert private not in slugs


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Contract: Ünïcode & Co.", "contract-unicode-co"),
        ("  contract   SPACES  ", "contract-spaces"),
        ("合同", "untitled-workflow"),
        ("!!!", "untitled-workflow"),
        ("a" * 100, "a" * 64),
    ],
)
def test_a_slug_is_made_from_the_name(caller: Caller, name: str, slug: str) -> None:
    made = caller.create(greeting(name)).json()["slug"]

    base, _, number = made.rpartition("-")
    assert made == slug or (base == slug and number.isdigit())


def test_slugs_are_numbered_when_they_collide(caller: Caller, stranger: Caller) -> None:
    first = caller.save(greeting("Contract collides"))
    again = [caller.save(greeting("Contract collides")) for _ in range(2)]
    theirs = stranger.save(greeting("Contract collides"))
    stranger.clean()

    base = "contract-collides"
    number = int(first.removeprefix(base).removeprefix("-") or 1)
    assert [*again, theirs] == [f"{base}-{number + more}" for more in (1, 2, 3)]


def test_a_slug_never_changes(caller: Caller) -> None:
    slug = caller.save(greeting("Before"))

    answer = caller.put(path(slug), {"name": "After", "slug": "other", "createdBy": "me"})

    assert answer.status_code == 200
    assert (answer.json()["slug"], answer.json()["name"]) == (slug, "After")
    assert answer.json()["createdBy"] == caller.get("/api/whoami").json()["user"]["id"]


def test_an_update_is_partial_and_makes_a_version(caller: Caller) -> None:
    before = caller.create(greeting(tags=["a"])).json()

    answer = caller.put(path(before["slug"]), {"description": "New", "nodes": before["nodes"]})

    after = answer.json()
    assert_fits(after, DOCUMENT)
    assert answer.headers["etag"] == '"2"'
    assert (after["version"], after["description"]) == (2, "New")
    changed = ("version", "description", "updatedAt")
    assert all(after[name] == before[name] for name in before if name not in changed)


@pytest.mark.parametrize("given", ["1", '"1"', '"7", "1"'])
def test_if_match_guards_against_lost_updates(caller: Caller, given: str) -> None:
    slug = caller.save(greeting())

    first = caller.put(path(slug), greeting(description="a"), headers={"if-match": given})
    second = caller.put(path(slug), greeting(description="b"), headers={"if-match": given})

    assert first.status_code == 200
    assert second.status_code == 412
    expected = {"error": sentence, "code": "VERSION_CONFLICT", "version?": 2}
    assert_fits(second.json(), expected)
    assert caller.get(path(slug)).json()["description"] == "a"


@pytest.mark.parametrize("given", ["1", '"3"', 'W/"2"', "", "abc", '"2'])
def test_an_update_of_another_version_is_refused(caller: Caller, given: str) -> None:
    slug = caller.save(greeting())
    caller.put(path(slug), greeting(description="two"))

    answer = caller.put(path(slug), {"name": "New"}, headers={"if-match": given})

    assert (answer.status_code, answer.json()["code"]) == (412, "VERSION_CONFLICT")
    assert caller.get(path(slug)).json()["version"] == 2
    assert caller.put(path(slug), {"name": "New"}, headers={"if-match": "*"}).status_code == 200


def test_of_many_updates_of_one_version_one_wins(caller: Caller) -> None:
    slug = caller.save(greeting())

    def update(number: int) -> int:
        body, headers = greeting(description=str(number)), {"if-match": "1"}
        return int(caller.put(path(slug), body, headers=headers).status_code)

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(update, range(8)))

    assert statuses == [200, *[412] * 7]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("name", None),
        ("name", ""),
        ("name", 1),
        ("description", 1),
        ("tags", "a"),
        ("tags[0]", [1]),
        ("nodes", {}),
        ("nodes[0]", ["a"]),
        ("nodes[0].id", [{"type": "note"}]),
        ("nodes[0].type", [{"id": "a", "type": 1}]),
        ("nodes[0].data", [{"id": "a", "type": "note", "data": []}]),
        ("nodes[0].position", [{"id": "a", "type": "note", "position": 1}]),
        ("nodes[0].position.x", [{"id": "a", "type": "note", "position": {"x": "0", "y": 0}}]),
        ("edges", None),
        ("edges[0].source", [{"id": "a"}]),
        ("viewport", 1),
        ("viewport.zoom", {"zoom": "1"}),
        ("publicPlayground", "true"),
        ("isTemplate", 1),
        ("folderId", 1),
        ("draft", "yes"),
    ],
)
def test_a_wrong_type_anywhere_is_refused_by_name(caller: Caller, member: str, value: Any) -> None:
    slug = caller.save(greeting())
    top = member.partition("[")[0].partition(".")[0]
    refused = {"error": sentence, "code": "INVALID_BODY", "field": member}

    for answer in (caller.create(greeting() | {top: value}), caller.put(path(slug), {top: value})):
        assert answer.status_code == 400
        assert_fits(answer.json(), refused)


def test_a_workflow_needs_a_name(caller: Caller) -> None:
    answer = caller.create({"nodes": [], "edges": []})

    assert answer.status_code == 400
    assert_fits(answer.json(), {"error": sentence, "code": "INVALID_BODY", "field": "name"})


def test_an_execution_finishes_on_the_version_it_began_with(caller: Caller) -> None:
    slug = caller.save(never())
    execution_id = caller.start(slug)

    caller.put(path(slug), {"nodes": greeting()["nodes"], "edges": greeting()["edges"]})
    shown = caller.execution(execution_id)
    later = caller.run(slug, {"name": "Eve"}).json()["executionId"]

    assert shown["workflowVersion"] == 1
    assert [each["id"] for each in shown["nodes"]] == ["call", "out"]
    assert caller.execution(later)["workflowVersion"] == 2


def test_what_was_saved_counts_for_the_very_next_call_on_every_gateway(
    caller: Caller, api_access: tuple[str, str]
) -> None:
    slug, (url, key) = caller.save(greeting()), api_access
    for turn in range(8):
        nodes = greeting()["nodes"]
        nodes[1]["data"]["text"] = f"{turn} {{{{ name }}}}"
        caller.put(path(slug), {"nodes": nodes})
        with open_client(url, {"x-api-key": key}) as client:
            answer = Caller(client).run(slug, {"name": "Eve"})
        assert answer.json()["result"] == {"text": f"{turn} Eve"}


def test_a_deleted_workflow_is_gone_and_its_executions_go_on(caller: Caller) -> None:
    slug = caller.save(never())
    execution_id = caller.start(slug)

    answer = caller.delete(path(slug))

    gone = [caller.get(path(slug)), caller.run(slug), caller.delete(path(slug))]
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert {each.status_code for each in gone} == {404}
    execution = caller.execution(execution_id)
    assert (execution["status"], len(execution["nodes"])) == ("processing", len(never()["nodes"]))
    caller.post(f"/api/executions/{execution_id}/cancel")


def test_all_problems_of_a_graph_are_told_at_once(caller: Caller) -> None:
    nodes = [
        node("form", "requestInput", fields=[{"name": "photo", "label": "P", "type": "image"}]),
        node("form2", "requestInput", fields=[]),
        node("same", "note"),
        node("same", "note"),
        node("odd", "nothing"),
        node("a", "textBox", text="{{ b }}"),
        node("b", "textBox", text="{{ a }}"),
        {**node("texts", "list"), "data": {"kind": "text", "items": []}},
        node("call", "httpRequest", url="https://example.org/", timeoutSeconds=601),
        node("one", "transform", expression="value"),
        node("out", "responseOutput"),
        node("out2", "responseOutput"),
    ]
    edges = [
        edge("a", "text-out", "b", "a"),
        edge("b", "text-out", "a", "b"),
        edge("a", "text-out", "missing", "x"),
        edge("a", "no-out", "out", "result-in"),
        edge("form", "photo", "texts", "items-in"),
        edge("a", "text-out", "one", "value-in"),
        edge("b", "text-out", "one", "value-in"),
    ]

    answer = caller.create({"name": "Broken", "nodes": nodes, "edges": edges})

    problems = answer.json()["problems"]
    assert answer.status_code == 400
    problem = {"nodeId?": str, "edgeId?": str, "reason": sentence}
    assert_fits(answer.json(), {"error": sentence, "code": "INVALID_GRAPH", "problems": [problem]})
    named = {each.get("nodeId") for each in problems} | {each.get("edgeId") for each in problems}
    wrong_edges = {edges[place]["id"] for place in (2, 3, 4)}
    assert {"form2", "same", "odd", "call", "out2"} <= named
    assert wrong_edges <= named
    assert any("cycle" in each["reason"] for each in problems)
    assert named & {edges[5]["id"], edges[6]["id"], "one"}


def test_a_draft_is_saved_with_problems_and_does_not_run(caller: Caller) -> None:
    refused = caller.create(broken())
    saved = caller.create(broken(draft=True))
    ran = caller.run(saved.json()["slug"])

    assert (refused.status_code, saved.status_code, ran.status_code) == (400, 201, 409)
    problems = refused.json()["problems"]
    expected = {"error": sentence, "code": "WORKFLOW_NOT_RUNNABLE", "problems": [dict]}
    assert_fits(ran.json(), expected)
    assert ran.json()["problems"] == problems


def test_someone_elses_workflow_is_answered_like_one_that_is_not_there(
    caller: Caller, stranger: Caller
) -> None:
    slug = caller.save(greeting())

    for each in (slug, "no-such-workflow"):
        answers = [
            stranger.get(path(each)),
            stranger.get(f"{path(each)}/schema"),
            stranger.run(each, {"name": "Eve"}),
            stranger.put(path(each), {}),
            stranger.delete(path(each)),
        ]
        bodies = [answer.json() for answer in answers]
        assert {answer.status_code for answer in answers} == {404}
        assert bodies == [{"error": "Workflow not found", "code": "WORKFLOW_NOT_FOUND"}] * 5


def test_a_template_is_read_by_all_and_written_by_its_owner(
    caller: Caller, stranger: Caller
) -> None:
    slug = caller.save(greeting(isTemplate=True))

    read = stranger.get(path(slug))
    written = [stranger.put(path(slug), {"name": "Mine"}), stranger.delete(path(slug))]
    ran = stranger.run(slug, {"name": "Eve"})

    assert read.status_code == 200
    assert_fits(read.json(), DOCUMENT | {"createdBy": text_or_null})
    assert read.json()["edges"] == caller.get(path(slug)).json()["edges"]
    for answer in written:
        assert (answer.status_code, answer.json()["code"]) == (403, "NOT_OWNER")
    assert (ran.status_code, ran.json()["code"]) == (404, "WORKFLOW_NOT_FOUND")


@pytest.mark.parametrize("slug", ["No", "a_b", "a.b", "a" * 65, "%20", "a%20b", "%c3%a4", "a%00"])
def test_a_slug_that_is_none_is_refused(caller: Caller, slug: str) -> None:
    for answer in (
        caller.get(path(slug)),
        caller.run(slug),
        caller.put(path(slug), {}),
        caller.delete(path(slug)),
        caller.get(f"{path(slug)}/schema"),
    ):
        assert answer.status_code == 400, slug
        assert_fits(answer.json(), {"error": sentence, "code": "INVALID_SLUG"})


def test_an_update_without_a_graph_makes_no_version(caller: Caller) -> None:
    before = caller.create(greeting(tags=["a"])).json()
    slug = before["slug"]

    answer = caller.put(path(slug), {"name": "Other", "tags": ["b"], "archived": True})

    after = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
    changed = {"name": "Other", "tags": ["b"], "archived": True, "updatedAt": after["updatedAt"]}
    assert after == before | changed
    assert caller.get(path(slug)).json() == after
    assert caller.get(f"{path(slug)}/schema").json()["name"] == "Other"
    assert len(caller.get(f"{path(slug)}/versions").json()["rows"]) == 1


def test_an_update_without_a_graph_is_refused_for_a_version_that_was_not_read(
    caller: Caller,
) -> None:
    slug = caller.save(greeting())

    answer = caller.put(path(slug), {"tags": ["b"]}, headers={"if-match": "2"})

    assert (answer.status_code, answer.json()["code"]) == (412, "VERSION_CONFLICT")
