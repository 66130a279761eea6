"""`?version=N` on runs and schemas."""

from typing import Any

import httpx2
import pytest

from tests.support.contract.installation import Caller
from tests.support.gateway.documents import NAME_FIELD, greeting


def shouting() -> dict[str, Any]:
    """The greeting with another text and another field."""
    document = greeting()
    document["nodes"][0]["data"]["fields"] = [NAME_FIELD | {"maxLength": 20}]
    document["nodes"][1]["data"]["text"] = "HELLO {{ name }}"
    return document


@pytest.fixture
def slug(caller: Caller) -> str:
    """A workflow of two versions."""
    slug = caller.save(greeting())
    assert caller.put(f"/api/workflows/{slug}", shouting()).status_code == 200
    return slug


def code_of(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize(("version", "text"), [(1, "Hello Ada"), (2, "HELLO Ada")])
def test_a_run_takes_the_version_that_it_names(
    caller: Caller, slug: str, version: int, text: str
) -> None:
    answer = caller.run(slug, {"name": "Ada"}, f"?version={version}")

    assert answer.status_code == 200
    assert answer.json()["result"] == {"text": text}
    assert caller.execution(answer.json()["executionId"])["workflowVersion"] == version
    assert caller.run(slug, {"name": "Ada"}).json()["result"] == {"text": "HELLO Ada"}


def test_a_run_that_names_a_version_may_be_async(caller: Caller, slug: str) -> None:
    accepted = caller.run(slug, {"name": "Ada"}, "?version=1&async=true")

    assert accepted.status_code == 202
    ended = caller.ended(accepted.json()["executionId"])
    assert (ended["result"], ended["workflowVersion"]) == ({"text": "Hello Ada"}, 1)


def test_a_schema_is_that_of_the_version_that_it_names(caller: Caller, slug: str) -> None:
    path = f"/api/workflows/{slug}/schema"

    first, live = caller.get(f"{path}?version=1").json(), caller.get(path).json()

    assert [first["fields"][0]["maxLength"], live["fields"][0]["maxLength"]] == [40, 20]


@pytest.mark.parametrize("version", ["3", "900719925474099"])
def test_a_version_that_is_not_there_is_404(caller: Caller, slug: str, version: str) -> None:
    run = caller.run(slug, {"name": "Ada"}, f"?version={version}")
    schema = caller.get(f"/api/workflows/{slug}/schema?version={version}")

    assert code_of(run) == code_of(schema) == (404, "VERSION_NOT_FOUND")


@pytest.mark.parametrize("version", ["0", "-1", "First", "draft!", "", "1.0", "1&version=2"])
def test_a_version_that_is_neither_number_nor_name_is_refused(
    caller: Caller, slug: str, version: str
) -> None:
    run = caller.run(slug, {"name": "Ada"}, f"?version={version}")
    schema = caller.get(f"/api/workflows/{slug}/schema?version={version}")

    assert code_of(run) == code_of(schema) == (400, "INVALID_QUERY")
    assert run.json()["field"] == schema.json()["field"] == "version"


def test_versions_of_others_are_404(caller: Caller, stranger: Caller) -> None:
    private, template = caller.save(greeting()), caller.save(greeting(isTemplate=True))

    for each in (private, template):
        assert stranger.run(each, {"name": "Eve"}, "?version=1").status_code == 404
        assert stranger.get(f"/api/workflows/{each}/schema?version=1").status_code == 404


def test_a_version_of_the_public_workflow_of_another_is_404(
    caller: Caller, stranger: Caller
) -> None:
    slug = caller.save(greeting(publicPlayground=True))

    assert stranger.run(slug, {"name": "Eve"}, "?version=1").status_code == 404
    assert stranger.run(slug, {"name": "Eve"}).status_code == 200


def test_a_version_is_part_of_what_an_idempotency_key_stands_for(caller: Caller, slug: str) -> None:
    key = {"Idempotency-Key": f"named-{slug}"}
    first = caller.run(slug, {"name": "Ada"}, "?version=1", headers=key)

    again = caller.run(slug, {"name": "Ada"}, "?version=1", headers=key)
    other = caller.run(slug, {"name": "Ada"}, "?version=2", headers=key)
    live = caller.run(slug, {"name": "Ada"}, headers=key)

    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert code_of(other) == code_of(live) == (422, "IDEMPOTENCY_KEY_REUSED")
