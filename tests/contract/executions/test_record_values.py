from typing import Any

import pytest

from tests.support.contract.event_streams import STREAM, events_of
from tests.support.contract.installation import Caller, failing
from tests.support.contract.shapes import assert_fits, sentence
from tests.support.gateway.documents import greeting
from tests.support.http.sse_reader import named, parse


def node_of(caller: Caller, execution_id: str, node_id: str = "text") -> Any:
    return caller.get(f"/api/executions/{execution_id}/nodes/{node_id}").json()


def test_values_are_recorded_unless_a_workflow_says_otherwise(caller: Caller) -> None:
    slug = caller.save(greeting())

    assert caller.get(f"/api/workflows/{slug}").json()["recordValues"] == "all"
    for choice in ("failed", "none", "all"):
        answer = caller.put(f"/api/workflows/{slug}", {"recordValues": choice})
        assert answer.json()["recordValues"] == choice
        assert caller.get(f"/api/workflows/{slug}").json()["recordValues"] == choice


@pytest.mark.parametrize("value", ["some", "", None, True, ["all"]])
def test_another_choice_is_refused(caller: Caller, value: Any) -> None:
    answer = caller.create(greeting(recordValues=value))

    assert answer.status_code == 400
    assert_fits(answer.json(), {"error": sentence, "code": "INVALID_BODY", "field": "recordValues"})


def test_another_choice_makes_a_version_and_the_same_one_none(caller: Caller) -> None:
    slug = caller.save(greeting())

    same = caller.put(f"/api/workflows/{slug}", {"recordValues": "all", "tags": ["a"]})
    other = caller.put(f"/api/workflows/{slug}", {"recordValues": "none"})

    assert (same.json()["version"], other.json()["version"]) == (1, 2)
    first = caller.get(f"/api/workflows/{slug}/versions/1").json()
    assert (first["recordValues"], other.json()["recordValues"]) == ("all", "none")


def test_a_draft_has_a_choice_of_its_own(caller: Caller) -> None:
    slug = caller.save(greeting())

    caller.put(f"/api/workflows/{slug}/draft", greeting(recordValues="failed"))

    assert caller.get(f"/api/workflows/{slug}/draft").json()["recordValues"] == "failed"
    assert caller.get(f"/api/workflows/{slug}").json()["recordValues"] == "all"
    caller.post(f"/api/workflows/{slug}/publish", {})
    assert caller.get(f"/api/workflows/{slug}").json()["recordValues"] == "failed"


def test_nothing_but_the_result_is_left_where_no_values_are_recorded(caller: Caller) -> None:
    slug = caller.save(greeting(recordValues="none"))

    execution_id = caller.run(slug, {"name": "Eve"}).json()["executionId"]

    shown = caller.execution(execution_id)
    assert (shown["result"], shown["inputs"]) == ({"text": "Hello Eve"}, None)
    found = node_of(caller, execution_id)
    assert (found["inputs"], found["outputs"], found["recorded"]) == (None, None, False)
    assert len(found["attempts"]) == 1
    for path in ("values", "values?node=text&output=text-out"):
        answer = caller.get(f"/api/executions/{execution_id}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    ended = named(events_of(caller, execution_id), "node.finished")
    assert {each["outputs"] for each in ended} == {None}


def test_no_event_shows_outputs_where_no_values_are_recorded(caller: Caller) -> None:
    slug = caller.save(greeting(recordValues="none"))

    events = parse(caller.run(slug, {"name": "Eve"}, headers=STREAM).text)

    assert events[-1].data["result"] == {"text": "Hello Eve"}
    assert {each["outputs"] for each in named(events, "node.finished")} == {None}


def test_values_of_failed_executions_can_be_kept_alone(caller: Caller) -> None:
    works = caller.save(greeting(recordValues="failed"))
    fails = caller.save(failing() | {"recordValues": "failed"})

    completed = caller.run(works, {"name": "Eve"}).json()["executionId"]
    failed = caller.start(fails)
    caller.ended(failed)

    assert node_of(caller, completed)["recorded"] is False
    kept = node_of(caller, failed)
    assert kept["recorded"] is True
    assert isinstance(kept["outputs"]["text-out"], str)
