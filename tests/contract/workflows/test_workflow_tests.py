"""Tests of a workflow: saved beside it, read, deleted, and kept with its document."""

from typing import Any

import httpx2
import pytest

from tests.support.contract.installation import Administration, Caller
from tests.support.gateway.documents import greeting

ROUTES = {
    "GET /api/workflows/{slug}/tests": "workflow:read",
    "GET /api/workflows/{slug}/tests/{test_name}": "workflow:read",
    "PUT /api/workflows/{slug}/tests/{test_name}": "workflow:write",
    "DELETE /api/workflows/{slug}/tests/{test_name}": "workflow:write",
}
GREETS = {"inputs": {"name": "Ada"}, "expect": ['result == "Hello Ada"']}
JUDGED = {
    "inputs": {"name": "Ada"},
    "expect": ["judge >= 4.0", "cost == 0.0"],
    "pinned": {"text": {"text-out": "Hi"}},
    "judge": {"workflow": "rate", "inputs": {"text": "result", "ms": "ms"}},
}


def path_of(slug: str, name: str = "") -> str:
    return f"/api/workflows/{slug}/tests" + (f"/{name}" if name else "")


def shown(name: str, test: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"name": name, "pinned": {}, "judge": None, "lastRun": None, **test, **others}


def refusal_of(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body.get("code")) == (status, code), body
    return body


def names_of(caller: Caller, slug: str) -> list[str]:
    return [row["name"] for row in caller.get(path_of(slug)).json()["rows"]]


def test_a_test_is_saved_read_replaced_and_deleted(caller: Caller) -> None:
    slug = caller.save(greeting())

    saved = caller.put(path_of(slug, "greets"), GREETS)
    replaced = caller.put(path_of(slug, "greets"), JUDGED)
    caller.put(path_of(slug, "another"), {})
    listed = caller.get(path_of(slug))
    deleted = caller.delete(path_of(slug, "another"))

    assert (saved.status_code, saved.json()) == (200, shown("greets", GREETS))
    assert (replaced.status_code, replaced.json()) == (200, shown("greets", JUDGED))
    empty = shown("another", {"inputs": {}, "expect": []})
    assert listed.json() == {"rows": [empty, shown("greets", JUDGED)], "draft": None}
    assert deleted.status_code == 200
    assert caller.get(path_of(slug, "greets")).json() == shown("greets", JUDGED)
    for answer in (
        caller.get(path_of(slug, "another")),
        caller.delete(path_of(slug, "another")),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "TEST_NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"expect": ["result =="]}, "expect[0]", "line 1, column"),
        ({"expect": ["true", "result", "nodes.a.nothing(1)"]}, "expect[2]", "expect[2]"),
        ({"expect": ["1 + 1"]}, "expect[0]", "a condition needs true or false"),
        ({"expect": ["value == 1"]}, "expect[0]", "value"),
        ({"expect": "true"}, "expect", "must be a list of texts"),
        ({"expect": ["true"] * 51}, "expect", "may have 50"),
        ({"inputs": []}, "inputs", "must be an object"),
        ({"inputs": {"text": "a" * 300_000}}, "inputs", "262,144 bytes"),
        ({"pinned": {"a": 1}}, "pinned", "values by node and output socket"),
        ({"judge": {"inputs": {}}}, "judge.workflow", "slug"),
        ({"judge": {"workflow": "rate", "inputs": {"a": 1}}}, "judge.inputs", "texts"),
        ({"judge": {"workflow": "rate", "inputs": {"a": "("}}}, "judge.inputs.a", "line 1"),
        ({"judge": {"workflow": "rate", "inputs": {"a": "judge"}}}, "judge.inputs.a", "judge"),
    ],
)
def test_a_wrong_test_is_refused_by_its_member(
    caller: Caller, body: dict[str, Any], field: str, words: str
) -> None:
    slug = caller.save(greeting())

    answer = caller.put(path_of(slug, "greets"), body)

    refusal = refusal_of(answer, 400, "INVALID_BODY")
    assert refusal["field"] == field
    assert words in refusal["error"]
    assert names_of(caller, slug) == []


@pytest.mark.parametrize("name", ["draft", "run", "Greets", "1st", "a" * 33, "a.b"])
def test_a_name_is_that_of_an_alias(caller: Caller, name: str) -> None:
    slug = caller.save(greeting())

    answer = caller.put(path_of(slug, name), GREETS)

    assert answer.status_code in (400, 405)


def test_tests_come_with_a_document_and_replace_those_that_it_has(caller: Caller) -> None:
    both = {"greets": GREETS, "judged": JUDGED}
    slug = caller.save(greeting(tests=both))
    assert names_of(caller, slug) == ["greets", "judged"]

    kept = caller.put(f"/api/workflows/{slug}", greeting(description="Other"))
    assert (kept.status_code, names_of(caller, slug)) == (200, ["greets", "judged"])
    caller.put(f"/api/workflows/{slug}", greeting(tests={"greets": GREETS}))
    assert names_of(caller, slug) == ["greets"]
    caller.put(f"/api/workflows/{slug}", {**greeting(), "draft": True, "tests": both})
    assert names_of(caller, slug) == ["greets", "judged"]
    caller.put(f"/api/workflows/{slug}", {"tests": {}})
    assert names_of(caller, slug) == []


def test_a_document_with_a_wrong_test_saves_nothing(caller: Caller) -> None:
    before = len(caller.get("/api/workflows").json())

    wrong = caller.create(greeting(tests={"greets": {"expect": ["("]}}))
    named = caller.create(greeting(tests={"Greets": GREETS}))
    many = caller.create(greeting(tests={f"t{i}": {} for i in range(201)}))

    assert refusal_of(wrong, 400, "INVALID_BODY")["field"] == "tests.greets.expect[0]"
    assert refusal_of(named, 400, "INVALID_BODY")["field"] == "tests"
    assert refusal_of(many, 413, "QUOTA_EXCEEDED")["limit"] == 200
    assert len(caller.get("/api/workflows").json()) == before


def test_a_copy_has_the_tests_of_its_original(caller: Caller) -> None:
    slug = caller.save(greeting(tests={"greets": GREETS}))

    copy = caller.save({"name": "Copy", "copyOf": slug})
    bare = caller.save({"name": "Bare", "copyOf": slug, "tests": {}})

    assert names_of(caller, copy) == ["greets"]
    assert names_of(caller, bare) == []


@pytest.mark.A98f
def test_a_copy_of_a_template_has_its_tests_with_a_copy_of_the_judge(
    administration: Administration,
) -> None:
    owner, other = administration.caller("pro"), administration.caller("pro")
    judge = owner.save(greeting(name="Rate", isTemplate=True))
    judged = {**JUDGED, "judge": {"workflow": judge, "inputs": {"name": "result"}}}
    slug = owner.save(greeting(isTemplate=True, tests={"judged": judged}))

    made = other.create({"name": "Mine", "copyOf": slug})

    copied = made.json()["copiedWorkflows"][judge]
    mine = other.get(path_of(made.json()["slug"], "judged")).json()
    assert mine["judge"] == {"workflow": copied, "inputs": {"name": "result"}}
    assert other.get(f"/api/workflows/{copied}").status_code == 200
    assert refusal_of(other.get(path_of(slug)), 403, "NOT_OWNER")


@pytest.mark.A98f
def test_tests_of_another_account_are_not_there(administration: Administration) -> None:
    owner, other = administration.caller("pro"), administration.caller("pro")
    slug = owner.save(greeting(tests={"greets": GREETS}))

    for answer in (
        other.get(path_of(slug)),
        other.get(path_of(slug, "greets")),
        other.put(path_of(slug, "greets"), GREETS),
        other.delete(path_of(slug, "greets")),
    ):
        refusal_of(answer, 404, "WORKFLOW_NOT_FOUND")
    assert names_of(owner, slug) == ["greets"]


def test_each_route_needs_its_capability(administration: Administration) -> None:
    reader = administration.caller("pro", "workflow:read", "workflow:run")
    writer = administration.caller("pro", "workflow:write")

    for answer in (
        reader.put(path_of("greeting", "greets"), GREETS),
        reader.delete(path_of("greeting", "greets")),
        writer.get(path_of("greeting")),
        writer.get(path_of("greeting", "greets")),
    ):
        refusal_of(answer, 403, "CAPABILITY_DENIED")


def test_a_publish_that_requires_tests_is_refused_without_them(caller: Caller) -> None:
    slug = caller.save(greeting())
    caller.put(f"/api/workflows/{slug}/draft", greeting(description="New"))
    publish, body = f"/api/workflows/{slug}/publish", {"requireTests": True}

    without = caller.post(publish, body)
    caller.put(path_of(slug, "greets"), GREETS)
    untested = caller.post(publish, body)
    wrong = caller.post(publish, {"requireTests": "yes"})
    plain = caller.post(publish, {"requireTests": False})

    assert "has no tests" in refusal_of(without, 409, "TESTS_FAILED")["error"]
    assert refusal_of(untested, 409, "TESTS_FAILED")["testRunId"] is None
    assert refusal_of(wrong, 400, "INVALID_BODY")["field"] == "requireTests"
    assert (plain.status_code, plain.json()["version"]) == (200, 2)


@pytest.mark.parametrize("name", [".revision", "greets.last", "%2Erevision"])
def test_what_is_kept_beside_tests_is_no_test(caller: Caller, name: str) -> None:
    slug = caller.save(greeting())
    for expected in ('result == "Hello"', 'result == "Hello Ada"'):
        caller.put(path_of(slug, "greets"), {**GREETS, "expect": [expected]})

    for answer in (caller.get(path_of(slug, name)), caller.delete(path_of(slug, name))):
        refusal_of(answer, 404, "TEST_NOT_FOUND")
