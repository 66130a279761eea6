from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.support.acceptance.running_stack import until
from tests.support.contract.installation import Administration, Caller, failing, never
from tests.support.contract.shapes import assert_fits, sentence
from tests.support.gateway.documents import greeting


def run(
    caller: Caller, slug: str, key: str, inputs: Any = None, query: str = ""
) -> httpx2.Response:
    answer: httpx2.Response = caller.run(slug, inputs, query, headers={"idempotency-key": key})
    return answer


def count(caller: Caller, slug: str) -> int:
    return len(caller.get(f"/api/executions?workflowSlug={slug}").json()["rows"])


@pytest.mark.parametrize(
    ("document", "query", "status"),
    [
        (greeting(), "", 200),
        (failing(), "", 500),
        (greeting(), "?async=true", 202),
        (never(), "?timeout=0.1", 202),
    ],
)
def test_the_first_answer_is_replayed(
    caller: Caller, document: dict[str, Any], query: str, status: int
) -> None:
    slug, key = caller.save(document), str(uuid4())

    first = run(caller, slug, key, {"name": "Eve"}, query)
    again = [run(caller, slug, key, {"name": "Eve"}, query) for _ in range(2)]

    assert first.status_code == status
    assert "idempotent-replayed" not in first.headers
    for answer in again:
        assert (answer.status_code, answer.content) == (first.status_code, first.content)
        assert answer.headers["idempotent-replayed"] == "true"
    assert count(caller, slug) == 1


@pytest.mark.A35
def test_a_key_is_the_same_quoted_or_bare(caller: Caller) -> None:
    slug, key = caller.save(greeting()), str(uuid4())

    first = run(caller, slug, key, {"name": "Eve"})
    again = run(caller, slug, f'"{key}"', {"name": "Eve"})

    assert (again.content, count(caller, slug)) == (first.content, 1)


@pytest.mark.A36
def test_refused_input_is_not_stored(caller: Caller) -> None:
    slug, key = caller.save(greeting()), str(uuid4())

    refused = [run(caller, slug, key, inputs) for inputs in ({}, {"name": 1}, [])]
    taken = run(caller, slug, key, {"name": "Eve"})

    assert [answer.status_code for answer in refused] == [400, 400, 400]
    assert taken.status_code == 200
    assert "idempotent-replayed" not in taken.headers


@pytest.mark.A34
def test_the_same_key_with_another_body_is_refused(caller: Caller) -> None:
    slug, key = caller.save(greeting()), str(uuid4())
    run(caller, slug, key, {"name": "Eve"})

    answer = run(caller, slug, key, {"name": "Ada"})

    assert answer.status_code == 422
    assert_fits(answer.json(), {"error": sentence, "code": "IDEMPOTENCY_KEY_REUSED"})


def test_a_key_whose_first_call_still_runs_is_in_use(caller: Caller) -> None:
    slug, key = caller.save(never()), str(uuid4())
    rows = f"/api/executions?workflowSlug={slug}"
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(run, caller, slug, key)
        (row,) = until(lambda: caller.get(rows).json()["rows"])
        answer = run(caller, slug, key)
        caller.post(f"/api/executions/{row['executionId']}/cancel")
        waiting.result()

    assert answer.status_code == 409
    expected = {"error": sentence, "code": "IDEMPOTENCY_KEY_IN_USE", "executionId?": str}
    assert_fits(answer.json(), expected)


@pytest.mark.A35
def test_of_many_calls_at_once_one_runs(caller: Caller) -> None:
    slug, key = caller.save(greeting()), str(uuid4())

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: run(caller, slug, key, {"name": "Eve"}), range(16)))

    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({answer.content for answer in answers if answer.status_code == 200}) == 1
    assert count(caller, slug) == 1


@pytest.mark.A34
def test_a_key_counts_for_its_path_alone(caller: Caller) -> None:
    slugs, key = [caller.save(greeting()) for _ in range(2)], str(uuid4())

    answers = [run(caller, slug, key, {"name": "Eve"}) for slug in slugs]

    assert len({answer.json()["executionId"] for answer in answers}) == 2


@pytest.mark.A34
@pytest.mark.A19
def test_a_key_counts_for_its_account_alone(administration: Administration) -> None:
    key, executions = str(uuid4()), set()
    for _ in range(2):
        caller = administration.caller("pro")
        answer = run(caller, caller.save(greeting("Own idempotency")), key, {"name": "Eve"})
        executions.add(answer.json()["executionId"])

    assert len(executions) == 2


@pytest.mark.A35
@pytest.mark.parametrize("key", ["", "x" * 256, "x" * 10_000, "a b", "ü", '"open', '""'])
def test_a_key_that_is_none_is_refused(caller: Caller, key: str) -> None:
    slug = caller.save(greeting())

    answer = caller.run(slug, {"name": "Eve"}, headers={"idempotency-key": key.encode()})

    assert answer.status_code == 400
    assert_fits(answer.json(), {"error": sentence, "code": "INVALID_IDEMPOTENCY_KEY"})


@pytest.mark.A35
@pytest.mark.parametrize("length", [1, 255])
def test_a_key_has_1_to_255_characters(caller: Caller, length: int) -> None:
    slug, key = caller.save(greeting()), ("!" + str(uuid4()) * 8)[:length]

    assert run(caller, slug, key, {"name": "Eve"}).status_code == 200
