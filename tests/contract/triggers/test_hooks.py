"""Inbound webhooks as their owners manage them."""

from typing import Any

import pytest

from tests.support.contract.installation import Caller
from tests.support.contract.shapes import assert_fits, sentence
from tests.support.contract.triggers import at, hook, invalid, make, refused, schedule

ROUTES = {
    "POST /api/triggers/{trigger_id}/rotate": "workflow:run and workflow:write",
    "POST /api/triggers/{trigger_id}/test": "workflow:run and workflow:write",
}


def tried(caller: Caller, trigger: dict[str, Any], body: Any, **members: Any) -> dict[str, Any]:
    answer = caller.post(at(trigger, "/test"), {"body": body, **members})
    assert answer.status_code == 200, answer.text
    problem = {"field": str, "reason": sentence}
    assert_fits(answer.json(), {"wouldRun": bool, "inputs": dict, "problems": [problem]})
    found: dict[str, Any] = answer.json()
    return found


def test_rotate_gives_another_url(owner: Caller, slug: str) -> None:
    made = make(owner, hook(slug))

    answer = owner.post(at(made, "/rotate"))

    assert answer.status_code == 200
    rotated = answer.json()
    assert rotated["url"] != made["url"]
    assert len(rotated["url"]) == len(made["url"])
    assert rotated.keys() == made.keys()
    assert owner.get(at(made)).json() == rotated


def test_a_schedule_has_no_url_to_rotate(owner: Caller, slug: str) -> None:
    invalid(owner.post(at(make(owner, schedule(slug)), "/rotate")), "kind")


def test_someone_else_s_is_not_rotated(owner: Caller, slug: str, stranger: Caller) -> None:
    made = make(owner, hook(slug))

    refused(stranger.post(at(made, "/rotate")), 404, "TRIGGER_NOT_FOUND")
    assert owner.get(at(made)).json()["url"] == made["url"]


def test_a_test_tells_the_inputs_of_a_run(owner: Caller, slug: str) -> None:
    inputs = {"name": "body.user.name", "mark": "headers['x-mark'] + method"}
    made = make(owner, hook(slug, inputs=inputs, when="body.wanted"))
    body = {"user": {"name": "Ada"}, "wanted": True}

    found = tried(owner, made, body, headers={"X-Mark": "?"})

    assert found == {"wouldRun": True, "inputs": {"name": "Ada", "mark": "?POST"}, "problems": []}


def test_a_test_tells_that_the_condition_is_false(owner: Caller, slug: str) -> None:
    made = make(owner, hook(slug, when="body.wanted"))

    found = tried(owner, made, {"name": "Ada", "wanted": False})

    assert (found["wouldRun"], found["problems"]) == (False, [])
    assert found["inputs"]["name"] == "Ada"


def test_the_body_is_the_inputs_where_it_is_an_object(owner: Caller, slug: str) -> None:
    made = make(owner, hook(slug))

    assert tried(owner, made, {"name": "Ada"})["inputs"] == {"name": "Ada"}
    for body in ("text", 5, None, [1]):
        found = tried(owner, made, body)
        assert (found["wouldRun"], found["inputs"]) == (False, {})
        assert found["problems"][0]["field"] == "inputs.name"


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"when": "body.missing"}, "when"),
        ({"when": "body.name"}, "when"),
        ({"inputs": {"name": "body.missing"}}, "inputs.name"),
        ({"inputs": {"name": "5"}}, "inputs.name"),
        ({"eventId": "body.missing"}, "eventId"),
        ({"eventId": "5"}, "eventId"),
    ],
)
def test_a_test_tells_problems_by_their_settings(
    owner: Caller, slug: str, members: dict[str, Any], field: str
) -> None:
    found = tried(owner, make(owner, hook(slug, **members)), {"name": "Ada"})

    assert found["wouldRun"] is False
    assert [each["field"] for each in found["problems"]] == [field]


def test_expressions_do_not_see_what_authenticates(owner: Caller, slug: str) -> None:
    verify = {"kind": "hmac", "secret": "SIGNING", "header": "x-mac"}
    made = make(owner, hook(slug, verify=verify, inputs={"name": "string(size(headers))"}))
    hidden = {"Authorization": "a", "Cookie": "b", "X-Mac": "c"}

    assert tried(owner, made, {}, headers={**hidden, "x-other": "d"})["inputs"] == {"name": "1"}


def test_a_test_starts_nothing_and_needs_no_signature(owner: Caller, slug: str) -> None:
    made = make(owner, hook(slug, verify={"kind": "github", "secret": "SIGNING"}))

    assert tried(owner, made, {"name": "Ada"})["wouldRun"] is True
    assert owner.get(f"/api/executions?workflowSlug={slug}").json()["rows"] == []
    assert owner.get(at(made)).json()["lastOccurrence"] is None


def test_a_deleted_workflow_is_a_problem(owner: Caller, slug: str) -> None:
    made = make(owner, hook(slug))
    owner.delete(f"/api/workflows/{slug}")

    found = tried(owner, made, {"name": "Ada"})

    assert [each["field"] for each in found["problems"]] == ["workflowSlug"]


def test_a_schedule_takes_no_events(owner: Caller, slug: str) -> None:
    invalid(owner.post(at(make(owner, schedule(slug)), "/test"), {"body": {}}), "kind")


@pytest.mark.parametrize(
    "body", [{}, {"body": {}, "headers": []}, {"body": {}, "headers": {"a": 1}}]
)
def test_a_wrong_test_is_refused(owner: Caller, slug: str, body: Any) -> None:
    made = make(owner, hook(slug))

    refused(owner.post(at(made, "/test"), body), 400, "INVALID_BODY")


def test_someone_else_s_is_not_tested(owner: Caller, slug: str, stranger: Caller) -> None:
    answer = stranger.post(at(make(owner, hook(slug)), "/test"), {"body": {}})

    refused(answer, 404, "TRIGGER_NOT_FOUND")
