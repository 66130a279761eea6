"""Tags of runs, and warnings about members of a body that nothing takes."""

import uuid
from typing import Any

import pytest

from tests.contract.runs.test_retries import accepted, calls, failed, retry
from tests.support.contract.installation import Administration, Caller, never
from tests.support.contract.shapes import assert_fits, sentence
from tests.support.gateway.documents import greeting
from tests.support.http.target import Stub

TAGS = ["nightly", "customer:42", "two, words", "Ä" * 64]
INPUTS = {"name": "Eve"}


def shown(caller: Caller, execution_id: str) -> list[Any]:
    """Return the tags in the execution and in its row of the list."""
    rows = caller.get("/api/executions", params={"q": execution_id}).json()["rows"]
    return [caller.execution(execution_id)["tags"], *(row["tags"] for row in rows)]


@pytest.mark.parametrize("query", ["", "?async=true", "?timeout=0"])
def test_a_run_has_the_tags_of_its_body(caller: Caller, query: str) -> None:
    slug = caller.save(greeting())

    answer = caller.post(f"/api/workflows/{slug}/run{query}", {"inputs": INPUTS, "tags": TAGS})

    assert "warnings" not in answer.json()
    assert shown(caller, answer.json()["executionId"]) == [TAGS, TAGS]


def test_a_run_without_tags_has_none_and_is_no_item_of_a_batch(caller: Caller) -> None:
    execution_id = caller.run(caller.save(greeting()), INPUTS).json()["executionId"]

    execution = caller.execution(execution_id)
    assert shown(caller, execution_id) == [[], []]
    assert (execution["batchId"], execution["batchIndex"]) == (None, None)


def test_a_tag_that_is_given_twice_counts_once(caller: Caller) -> None:
    body = {"inputs": INPUTS, "tags": ["b", "a", "b"]}

    answer = caller.post(f"/api/workflows/{caller.save(greeting())}/run", body)

    assert caller.execution(answer.json()["executionId"])["tags"] == ["b", "a"]


def test_the_run_of_a_model_has_tags(caller: Caller, chat: str) -> None:
    body = {"inputs": {"prompt": "Hello"}, "tags": TAGS}

    answer = caller.post(f"/api/models/{chat}/run?async=true", body)

    assert shown(caller, answer.json()["executionId"]) == [TAGS, TAGS]


def test_the_run_of_a_draft_has_tags(caller: Caller) -> None:
    slug = caller.save(greeting())
    caller.put(f"/api/workflows/{slug}/draft", greeting())
    body = {"inputs": INPUTS, "tags": TAGS, "only": "text", "onyl": "in"}

    answer = caller.post(f"/api/workflows/{slug}/draft/run", body)

    assert shown(caller, answer.json()["executionId"]) == [TAGS, TAGS]
    [warning] = answer.json()["warnings"]
    assert "'onyl' was ignored" in warning


def test_the_run_of_a_public_workflow_has_the_tags_of_its_caller(
    caller: Caller, administration: Administration
) -> None:
    slug = administration.caller().save(greeting() | {"publicPlayground": True})

    answer = caller.post(f"/api/workflows/{slug}/run", {"inputs": INPUTS, "tags": TAGS})

    assert shown(caller, answer.json()["executionId"]) == [TAGS, TAGS]


def test_a_retry_keeps_the_tags(caller: Caller, stub: Stub) -> None:
    slug = caller.save(calls(stub, f"/status/500/{uuid.uuid4()}"))
    answer = caller.post(f"/api/workflows/{slug}/run", {"inputs": INPUTS, "tags": TAGS})
    untagged = failed(caller, slug)

    retried = accepted(retry(caller, answer.json()["executionId"]))

    assert shown(caller, retried) == [TAGS, TAGS]
    assert shown(caller, accepted(retry(caller, untagged))) == [[], []]


@pytest.mark.parametrize(
    "tags",
    [
        None,
        "nightly",
        {"a": "b"},
        [""],
        [1],
        [None],
        ["a" * 65],
        ["a\0b"],
        [f"t{number}" for number in range(11)],
    ],
    ids=repr,
)
def test_tags_are_at_most_10_texts_of_1_to_64_characters(caller: Caller, tags: Any) -> None:
    slug = caller.save(greeting())

    for path in (f"/api/workflows/{slug}/run", f"/api/models/{uuid.uuid4()}/run"):
        answer = caller.post(path, {"inputs": INPUTS, "tags": tags})

        assert answer.status_code == 400, answer.text
        assert_fits(answer.json(), {"error": sentence, "code": "INVALID_BODY", "field": "tags"})


@pytest.mark.parametrize("query", ["", "?async=true"])
def test_unknown_members_of_the_body_are_named_beside_unknown_inputs(
    caller: Caller, query: str
) -> None:
    slug = caller.save(greeting())
    body = {"inputs": INPUTS | {"nmae": 1}, "tag": ["a"], "priority": 1}
    headers = {"idempotency-key": str(uuid.uuid4())}

    path = f"/api/workflows/{slug}/run{query}"
    answer = caller.post(path, body, headers=headers).json()

    said = answer["warnings"]
    assert ["'tag' was ignored" in said[0], "'priority' was ignored" in said[1]] == [True, True]
    assert [len(said), "'nmae' was ignored" in said[2]] == [3, True]
    assert caller.execution(answer["executionId"])["warnings"] == said
    assert caller.post(path, body, headers=headers).json()["warnings"] == said


def test_many_unknown_members_are_counted(caller: Caller) -> None:
    body: dict[str, Any] = {"inputs": INPUTS} | {f"x{number}": number for number in range(30)}

    answer = caller.post(f"/api/workflows/{caller.save(greeting())}/run", body).json()

    assert len(answer["warnings"]) == 11
    assert answer["warnings"][-1] == "20 more members were ignored"


def found(caller: Caller, path: str, **params: Any) -> set[str]:
    rows = caller.get(path, params=params).json()["rows"]
    return {row.get("executionId") or row["id"] for row in rows}


@pytest.mark.parametrize("path", ["/api/executions", "/api/usage"])
def test_lists_and_usage_filter_by_all_of_several_tags(caller: Caller, path: str) -> None:
    slug, mark = caller.save(greeting()), str(uuid.uuid4())
    ids = {}
    for tags in ("a", "b", "ab"):
        body = {"inputs": INPUTS, "tags": [mark, *(f"{each}, {mark}" for each in tags)]}
        ids[tags] = caller.post(f"/api/workflows/{slug}/run", body).json()["executionId"]

    assert found(caller, path, tag=mark) == {*ids.values()}
    assert found(caller, path, tag=f"a, {mark}") == {ids["a"], ids["ab"]}
    assert found(caller, path, tag=[f"b, {mark}", mark, f"a, {mark}"]) == {ids["ab"]}
    assert found(caller, path, tag=[mark, "none"]) == set()
    assert found(caller, path, tag=mark[:-1]) == set()


@pytest.mark.parametrize("is_list", [False, True])
def test_the_bulk_cancel_takes_a_tag_or_a_list_of_them(caller: Caller, is_list: bool) -> None:
    slug, mark = caller.save(never()), str(uuid.uuid4())
    path = f"/api/workflows/{slug}/run?async=true"
    ids = [
        caller.post(path, {"inputs": {}, "tags": tags}).json()["executionId"]
        for tags in ([mark, "a"], [mark[::-1], "a"])
    ]

    body = {"tag": [mark, "a"] if is_list else mark}
    answer = caller.post("/api/executions/cancel", body)

    assert (answer.status_code, answer.json()) == (202, {"cancelled": 1, "more": False})
    assert caller.ended(ids[0])["status"] == "cancelled"
    assert caller.execution(ids[1])["status"] == "processing"
    caller.post("/api/executions/cancel", {"tag": mark[::-1]})


@pytest.mark.parametrize("tag", ["", [], ["a", ""], 1, [f"t{number}" for number in range(21)]])
def test_a_wrong_tag_cancels_nothing(caller: Caller, tag: Any) -> None:
    answer = caller.post("/api/executions/cancel", {"tag": tag})

    assert answer.status_code == 400
    assert_fits(answer.json(), {"error": sentence, "code": "INVALID_BODY", "field": "tag"})
