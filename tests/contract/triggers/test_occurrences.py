"""Occurrences of triggers."""

from typing import Any

import httpx2
import pytest

from tests.support.contract.installation import Caller
from tests.support.contract.shapes import assert_fits
from tests.support.contract.triggers import OCCURRENCE, at, hook, make, refused, schedule

ROUTES = {
    "GET /api/triggers/{trigger_id}/occurrences": "workflow:run and workflow:write",
    "GET /api/triggers/{trigger_id}/occurrences/{occurrence_id}": "workflow:run and workflow:write",
}
NOBODY = "00000000-0000-4000-8000-000000000000"


def test_a_new_trigger_has_none(owner: Caller, slug: str) -> None:
    for body in (schedule(slug), hook(slug)):
        answer = owner.get(at(make(owner, body), "/occurrences"))

        assert (answer.status_code, answer.json()) == (200, {"rows": [], "nextCursor": None})


@pytest.mark.parametrize("query", ["status=done", "limit=0", "limit=201", "cursor=x", "other=1"])
def test_a_wrong_query_is_refused(owner: Caller, slug: str, query: str) -> None:
    answer = owner.get(at(make(owner, schedule(slug)), f"/occurrences?{query}"))

    assert refused(answer, 400, "INVALID_QUERY")["field"] == query.partition("=")[0]


@pytest.mark.parametrize("occurrence_id", [NOBODY, "nothing"])
def test_an_unknown_one_is_not_found(owner: Caller, slug: str, occurrence_id: str) -> None:
    answer = owner.get(at(make(owner, schedule(slug)), f"/occurrences/{occurrence_id}"))

    refused(answer, 404, "NOT_FOUND")


def test_those_of_someone_else_s_trigger_are_not_found(
    owner: Caller, slug: str, stranger: Caller
) -> None:
    made = make(owner, hook(slug))

    for path in ("/occurrences", f"/occurrences/{NOBODY}"):
        refused(stranger.get(at(made, path)), 404, "TRIGGER_NOT_FOUND")


def sent(owner: Caller, trigger: dict[str, Any], body: Any, **headers: str) -> dict[str, Any]:
    """Send an event; return the newest occurrence with its details."""
    httpx2.post(trigger["url"], json=body, headers=headers, timeout=60)
    found = owner.get(at(trigger)).json()["lastOccurrence"]
    details: dict[str, Any] = owner.get(at(trigger, f"/occurrences/{found['id']}")).json()
    return details


def test_events_keep_body_and_headers_with_their_outcome(owner: Caller, slug: str) -> None:
    made = make(owner, hook(slug, when="body.wanted"))

    found = [
        sent(owner, made, {"name": "Ada", "wanted": True}, **{"X-Mark": "1"}),
        sent(owner, made, {"name": "Ada", "wanted": False}, **{"X-Mark": "2"}),
        sent(owner, made, {"name": 5, "wanted": True}, **{"X-Mark": "3"}),
    ]

    for each in found:
        assert_fits(each, {**OCCURRENCE, "body": dict, "headers": dict})
    outcomes = [(each["status"], each["reason"]) for each in found]
    assert outcomes == [
        ("started", None),
        ("skipped", "condition_false"),
        ("failed", "invalid_inputs"),
    ]
    assert [each["body"]["name"] for each in found] == ["Ada", "Ada", 5]
    assert [each["headers"]["x-mark"] for each in found] == ["1", "2", "3"]
    listed = owner.get(at(made, "/occurrences")).json()["rows"]
    assert [row["id"] for row in listed] == [each["id"] for each in found[::-1]]
    assert all("body" not in row and "headers" not in row for row in listed)


@pytest.mark.A98b
def test_no_secret_shows_in_an_occurrence(owner: Caller, slug: str) -> None:
    owner.put("/api/secrets/BEARER", {"value": "canary-4711-canary"})
    made = make(owner, hook(slug, verify={"kind": "bearer", "secret": "BEARER"}))
    headers = {"authorization": "Bearer canary-4711-canary", "cookie": "a=canary"}

    found = sent(owner, made, {"name": "Ada"}, **headers)

    assert found["status"] == "started"
    assert "canary" not in str(found)
    assert "canary" not in owner.get(f"/api/executions/{found['executionId']}").text


def test_a_large_event_keeps_its_body_while_its_run_is_hot(owner: Caller, slug: str) -> None:
    made = make(owner, hook(slug, inputs={"name": "string(size(body.text))"}, when="body.wanted"))
    large = "é" * 200_000

    ran = sent(owner, made, {"text": large, "wanted": True})
    skipped = sent(owner, made, {"text": large, "wanted": False})

    assert ran["body"] == {"text": large, "wanted": True}
    assert (skipped["status"], skipped["body"], skipped["headers"]) == ("skipped", None, None)


def test_the_last_100_skipped_events_are_kept(owner: Caller, slug: str) -> None:
    made = make(owner, hook(slug, when="false"))
    with httpx2.Client() as client:
        for number in range(103):
            answer = client.post(made["url"], json={"number": number})
            assert (answer.status_code, answer.json()) == (200, {"skipped": True})

    rows = owner.get(at(made, "/occurrences?status=skipped&limit=200")).json()["rows"]

    assert len(rows) == 100
    oldest = owner.get(at(made, f"/occurrences/{rows[-1]['id']}")).json()
    assert oldest["body"] == {"number": 3}


@pytest.mark.A98b
@pytest.mark.parametrize("choice", ["failed", "none"])
def test_events_are_kept_where_values_of_all_runs_are(
    owner: Caller, slug: str, choice: str
) -> None:
    made = make(owner, hook(slug, when="body.wanted"))
    bodies = [
        {"name": "Ada", "wanted": True},
        {"name": "é" * 200_000, "wanted": True},
        {"name": "Ada", "wanted": False},
        {"name": 5, "wanted": True},
        {"name": 5, "wanted": 5},
    ]
    owner.put(f"/api/workflows/{slug}", {"recordValues": choice})
    found = [sent(owner, made, each) for each in bodies]

    statuses = [each["status"] for each in found]
    assert statuses == ["started", "started", "skipped", "failed", "failed"]
    assert [(each["body"], each["headers"]) for each in found] == [(None, None)] * len(found)

    owner.put(f"/api/workflows/{slug}", {"recordValues": "all"})
    assert [sent(owner, made, each)["body"] for each in bodies[2:4]] == bodies[2:4]
    owner.delete(f"/api/workflows/{slug}")
    gone = sent(owner, made, bodies[0])
    assert (gone["reason"], gone["body"]) == ("workflow_not_runnable", None)


@pytest.mark.A98b
def test_headers_that_may_carry_secrets_are_not_kept(owner: Caller, slug: str) -> None:
    made = make(owner, hook(slug, inputs={"name": "headers['x-gitlab-token'] + query.key"}))
    names = ("X-Api-Key", "ApiKey", "X-Gitlab-Token", "Proxy-Authorization", "X-Auth")
    made["url"] += "?key=3"

    found = sent(owner, made, {}, **dict.fromkeys(names, "canary"), **{"X-Mark": "1"})

    assert found["status"] == "started"
    assert "canary" not in str(found)
    assert found["headers"]["x-mark"] == "1"
