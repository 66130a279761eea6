"""Retries of batches: their failed items anew."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2

from tests.support.acceptance.running_stack import until
from tests.support.contract.batches import (
    batch_of,
    begun_batch,
    count_batches,
    ended_batch,
    inputs_of,
    items_of,
)
from tests.support.contract.installation import (
    Administration,
    Caller,
    field,
    form,
    never,
    workflow,
)
from tests.support.contract.shapes import assert_fits, sentence, uuid
from tests.support.gateway.documents import edge, greeting, node

ROUTES = {"POST /api/batches/{batch_id}/retry": "workflow:run"}


def picky(expression: str = "value.value + 1.0") -> dict[str, Any]:
    """A workflow that fails for a text."""
    nodes = [
        form(field("value", "json")),
        node("sum", "transform", expression=expression),
        node("out", "responseOutput"),
    ]
    edges = [edge("in", "params", "sum", "value-in"), edge("sum", "value-out", "out", "result-in")]
    return workflow(nodes, edges)


def retry(caller: Caller, batch_id: str) -> httpx2.Response:
    return caller.post(f"/api/batches/{batch_id}/retry")


def assert_refused(answer: httpx2.Response, status: str, reason: str) -> None:
    assert answer.status_code == 409
    expected = {"error": sentence, "code": "BATCH_NOT_RETRYABLE", "status": status}
    assert_fits(answer.json(), {**expected, "reason": reason})


def test_the_failed_items_run_anew_on_the_same_version(caller: Caller) -> None:
    slug = caller.save(picky())
    items = [
        {**item, "tags": [f"t{index}"]}
        for index, item in enumerate(inputs_of("value", 1, "x", 3, "y"))
    ]
    batch_id = begun_batch(caller, slug, items, tags=["all"])
    ended = ended_batch(caller, batch_id)
    caller.put(f"/api/workflows/{slug}", greeting())

    answer = retry(caller, batch_id)

    assert answer.status_code == 202
    new = answer.json()["batchId"]
    expected = {"batchId": uuid, "items": 2, "status": "processing"}
    assert_fits(answer.json(), {**expected, "pollUrl": f"/api/batches/{new}"})
    assert new != batch_id
    again = ended_batch(caller, new)
    assert (again["counts"]["failed"], again["workflowVersion"], again["tags"]) == (2, 1, ["all"])
    rows = items_of(caller, new)
    assert [row["index"] for row in rows] == [0, 1]
    found = [caller.execution(row["executionId"]) for row in rows]
    assert [each["inputs"] for each in found] == [{"value": "x"}, {"value": "y"}]
    assert [each["tags"] for each in found] == [["all", "t1"], ["all", "t3"]]
    assert batch_of(caller, batch_id) == ended


def test_several_calls_give_one_batch(caller: Caller) -> None:
    slug = caller.save(picky())
    batch_id = begun_batch(caller, slug, inputs_of("value", "x", 1))
    ended_batch(caller, batch_id)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: retry(caller, batch_id), range(6)))
    new = answers[0].json()["batchId"]
    ended_batch(caller, new)
    answers.append(retry(caller, batch_id))

    assert {answer.status_code for answer in answers} == {202}
    assert {answer.content for answer in answers} == {answers[0].content}
    assert count_batches(caller, slug) == 2
    assert retry(caller, new).json()["batchId"] not in (batch_id, new)


def test_a_batch_that_goes_on_or_has_no_failed_item_is_not_retried(caller: Caller) -> None:
    going = begun_batch(caller, caller.save(never()), [{"inputs": {}}] * 2)
    done = begun_batch(caller, caller.save(greeting()), inputs_of("name", "Ada"))
    ended_batch(caller, done)

    assert_refused(retry(caller, going), "processing", "It has not ended yet")
    assert_refused(retry(caller, done), "completed", "None of its items failed")

    caller.post(f"/api/batches/{going}/cancel")
    ended_batch(caller, going)
    assert_refused(retry(caller, going), "cancelled", "None of its items failed")


def test_items_that_never_began_are_among_the_failed_ones(caller: Caller) -> None:
    slug = caller.save(never())
    batch_id = begun_batch(caller, slug, [{"inputs": {}}] * 3, concurrency=1)
    (running,) = until(lambda: items_of(caller, batch_id, "status=processing"))
    caller.delete(f"/api/workflows/{slug}")
    caller.post(f"/api/executions/{running['executionId']}/cancel")
    ended_batch(caller, batch_id)

    refused = retry(caller, batch_id)
    caller.post(f"/api/workflows/{slug}/restore")
    answer = retry(caller, batch_id)

    assert refused.json()["code"] == "BATCH_NOT_RETRYABLE"
    assert (answer.status_code, answer.json()["items"]) == (202, 2)
    caller.post(f"/api/batches/{answer.json()['batchId']}/cancel")


def test_the_capability_is_that_of_the_run(administration: Administration) -> None:
    account = administration.account("business")
    owner = administration.with_key(administration.key(account, "workflow:*"))
    slug = owner.save(picky())
    batch_id = begun_batch(owner, slug, inputs_of("value", "x"))
    ended_batch(owner, batch_id)
    other = administration.with_key(administration.key(account, "workflow:other:run"))
    narrow = administration.with_key(administration.key(account, f"workflow:{slug}:run"))

    denied, allowed = retry(other, batch_id), retry(narrow, batch_id)

    assert (denied.status_code, denied.json()["required"]) == (403, "workflow:run")
    assert allowed.status_code == 202
    assert "x-ratelimit-remaining" in allowed.headers
    owner.clean()


def test_a_retry_needs_the_estimate_of_the_failed_items(
    administration: Administration, chat: str
) -> None:
    account = administration.account("enterprise")  # without an allowance
    caller = administration.with_key(administration.key(account, "workflow:*"))
    nodes = [
        form(field("prompt", "text")),
        node("model", "customModel", model=chat),
        node("sum", "transform", expression="value + 1.0"),
        node("out", "responseOutput"),
    ]
    edges = [
        edge("in", "prompt", "model", "prompt-in"),
        edge("model", "text-out", "sum", "value-in"),
        edge("sum", "value-out", "out", "result-in"),
    ]
    slug = caller.save(workflow(nodes, edges))
    estimate = caller.get(f"/api/workflows/{slug}/schema").json()["estimatedCreditCost"]
    administration.top_up(account, "enterprise", 2 * estimate)
    batch_id = begun_batch(caller, slug, inputs_of("prompt", "Hello", "Hello"))
    ended = ended_batch(caller, batch_id)

    answer = retry(caller, batch_id)

    assert (ended["counts"]["failed"], ended["creditsCost"]) == (2, 2 * estimate)
    assert answer.status_code == 402
    expected = {"code": "INSUFFICIENT_CREDITS", "required": 2 * estimate, "balance": 0}
    assert_fits(answer.json(), {**expected, "error": sentence})
    assert count_batches(caller, slug) == 1
    administration.top_up(account, "enterprise", 2 * estimate)
    assert retry(caller, batch_id).status_code == 202
    caller.clean()
