"""Batches that have begun: progress, lists, and who may see them."""

from typing import Any

import httpx2
import pytest

from tests.support.acceptance.running_stack import until
from tests.support.contract.batches import (
    batch_of,
    begun_batch,
    ended_batch,
    inputs_of,
    items_of,
    start_batch,
)
from tests.support.contract.installation import (
    Administration,
    Caller,
    field,
    form,
    never,
    workflow,
)
from tests.support.contract.shapes import assert_fits, moment, sentence
from tests.support.gateway.documents import edge, greeting, node

ROUTES = {
    "GET /api/batches": "execution:read",
    "GET /api/batches/{batch_id}": "execution:read",
    "POST /api/batches/{batch_id}/cancel": "execution:cancel",
}
COUNTS = ("queued", "processing", "completed", "failed", "cancelled")
NO_ONE = "00000000-0000-4000-8000-000000000000"


def counts(**some: int) -> dict[str, int]:
    return dict.fromkeys(COUNTS, 0) | some


def picky() -> dict[str, Any]:
    """A workflow that fails for a text."""
    nodes = [
        form(field("value", "json")),
        node("sum", "transform", expression="value.value + 1.0"),
        node("out", "responseOutput"),
    ]
    edges = [edge("in", "params", "sum", "value-in"), edge("sum", "value-out", "out", "result-in")]
    return workflow(nodes, edges)


@pytest.fixture
def slug(caller: Caller) -> str:
    return caller.save(greeting())


def test_a_batch_has_its_counts(caller: Caller) -> None:
    slug = caller.save(never())

    found = batch_of(caller, begun_batch(caller, slug, [{"inputs": {}}] * 3, tags=["a", "b"]))

    assert_fits(
        found,
        {
            "batchId": str,
            "workflowSlug": slug,
            "workflowVersion": 1,
            "status": "processing",
            "counts": dict.fromkeys(COUNTS, int),
            "creditsCost": int,
            "tags": list,
            "createdAt": moment,
            "completedAt": None,
        },
    )
    assert found["tags"] == ["a", "b"]
    assert sum(found["counts"].values()) == 3


def test_batches_are_listed_newest_first_and_by_pages(administration: Administration) -> None:
    caller = administration.caller("business")
    slug = caller.save(greeting())
    begun = [begun_batch(caller, slug, inputs_of("name", "Ada")) for _ in range(5)]

    first = caller.get("/api/batches?limit=2").json()
    second = caller.get(f"/api/batches?limit=3&cursor={first['nextCursor']}").json()

    rows = [row["batchId"] for row in [*first["rows"], *second["rows"]]]
    assert rows == begun[::-1]
    assert second["nextCursor"] is None
    caller.clean()


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "cursor=x", "cursor=1", "status=queued"])
def test_a_page_that_cannot_be_is_refused(caller: Caller, query: str) -> None:
    answer = caller.get(f"/api/batches?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY")


def test_a_batch_that_is_not_the_callers_is_not_found(
    caller: Caller, stranger: Caller, slug: str
) -> None:
    own = begun_batch(caller, slug, inputs_of("name", "Ada"))
    answers: list[httpx2.Response] = []
    for who, batch_id in ((stranger, own), (caller, NO_ONE), (caller, own.upper()), (caller, "x")):
        path = f"/api/batches/{batch_id}"
        answers += [who.get(path), who.get(f"{path}/items")]
        answers += [who.post(f"{path}/cancel"), who.post(f"{path}/retry")]

    for answer in answers:
        assert answer.status_code == 404
        assert_fits(answer.json(), {"error": sentence, "code": "BATCH_NOT_FOUND"})
    assert own not in {row["batchId"] for row in stranger.get("/api/batches").json()["rows"]}


def test_the_capability_to_read_is_that_of_executions(
    administration: Administration, caller: Caller
) -> None:
    account = administration.account("business")
    runner = administration.with_key(administration.key(account, "workflow:*"))
    reader = administration.with_key(administration.key(account, "webhook:receive"))
    batch_id = begun_batch(runner, runner.save(greeting()), inputs_of("name", "Ada"))

    path = f"/api/batches/{batch_id}"
    read = [reader.get(each) for each in ("/api/batches", path, f"{path}/items")]
    retried, cancelled = (reader.post(f"{path}/{verb}") for verb in ("retry", "cancel"))

    assert cancelled.status_code == 202
    assert [answer.status_code for answer in read] == [200, 200, 200]
    assert (retried.status_code, retried.json()["required"]) == (403, "workflow:run")
    runner.clean()


# -- items as executions --------------------------------------------------------------------------


def test_each_item_becomes_one_execution_in_order(caller: Caller, slug: str) -> None:
    items = [
        {"inputs": {"name": f"n{number}"}, "tags": [f"t{number}", "both"]} for number in range(5)
    ]
    batch_id = begun_batch(caller, slug, items, tags=["all", "both"], concurrency=2)

    ended = ended_batch(caller, batch_id)
    rows = items_of(caller, batch_id)
    executions = caller.get(f"/api/executions?batchId={batch_id}").json()["rows"]

    assert (ended["status"], ended["counts"]) == ("completed", counts(completed=5))
    assert moment(ended["completedAt"])
    assert [row["result"] for row in rows] == [{"text": f"Hello n{n}"} for n in range(5)]
    assert {row["status"] for row in rows} == {"completed"}
    by_index = {row["batchIndex"]: row for row in executions}
    assert len(executions) == len(by_index) == 5
    for index, row in enumerate(rows):
        execution = by_index[index]
        assert execution["executionId"] == row["executionId"]
        assert (execution["source"], execution["batchId"]) == ("batch", batch_id)
        assert execution["tags"] == ["all", "both", f"t{index}"]
        assert execution["workflowVersion"] == 1
    begun = sorted(executions, key=lambda row: row["createdAt"])
    assert [row["createdAt"] for row in begun] == sorted(
        by_index[index]["createdAt"] for index in range(5)
    )


def test_an_item_that_fails_leaves_the_others(caller: Caller) -> None:
    slug = caller.save(picky())
    batch_id = begun_batch(caller, slug, inputs_of("value", 1, "x", 3))

    ended, rows = ended_batch(caller, batch_id), items_of(caller, batch_id)

    assert (ended["status"], ended["counts"]) == ("completed", counts(completed=2, failed=1))
    assert [row["status"] for row in rows] == ["completed", "failed", "completed"]
    assert_fits(
        rows[1]["error"], {"code": "EXECUTION_FAILED", "message": sentence, "nodeId": "sum"}
    )
    assert rows[1]["result"] is None
    assert items_of(caller, batch_id, "status=failed") == [rows[1]]
    assert items_of(caller, batch_id, "status=completed&limit=1") == [rows[0], rows[2]]


def test_at_most_as_many_items_run_as_may(caller: Caller) -> None:
    batch_id = begun_batch(caller, caller.save(never()), [{"inputs": {}}] * 5, concurrency=2)

    found = until(lambda: batch_of(caller, batch_id), lambda each: each["counts"]["processing"])
    until(lambda: batch_of(caller, batch_id)["counts"], lambda each: each["processing"] >= 2)

    assert found["counts"]["processing"] <= 2
    assert batch_of(caller, batch_id)["counts"] == counts(queued=3, processing=2)
    caller.post(f"/api/batches/{batch_id}/cancel")


def test_the_version_is_that_of_the_start(caller: Caller) -> None:
    slug = caller.save(never())
    batch_id = begun_batch(caller, slug, [{"inputs": {}}] * 2, concurrency=1)
    caller.put(f"/api/workflows/{slug}", greeting())

    (row,) = until(lambda: items_of(caller, batch_id, "status=processing"))

    assert caller.execution(row["executionId"])["workflowVersion"] == 1
    assert batch_of(caller, batch_id)["workflowVersion"] == 1
    caller.post(f"/api/batches/{batch_id}/cancel")


# -- cancel ---------------------------------------------------------------------------------------


def test_a_cancelled_batch_begins_nothing_more_and_stops_what_runs(caller: Caller) -> None:
    batch_id = begun_batch(caller, caller.save(never()), [{"inputs": {}}] * 4, concurrency=2)
    until(lambda: batch_of(caller, batch_id)["counts"]["processing"] == 2)
    running = items_of(caller, batch_id, "status=processing")

    asked = caller.post(f"/api/batches/{batch_id}/cancel")
    ended = ended_batch(caller, batch_id)
    again = caller.post(f"/api/batches/{batch_id}/cancel")

    assert (asked.status_code, again.status_code) == (202, 202)
    assert_fits(asked.json(), {"batchId": batch_id, "status": str})
    assert again.json() == {"batchId": batch_id, "status": "cancelled"}
    assert (ended["status"], ended["counts"]) == ("cancelled", counts(cancelled=4))
    rows = items_of(caller, batch_id)
    assert [row["executionId"] for row in rows[:2]] == [row["executionId"] for row in running]
    assert [row["executionId"] for row in rows[2:]] == [None, None]
    for row in running:
        assert caller.ended(row["executionId"])["status"] == "cancelled"


def test_a_batch_that_is_over_stays_as_it_is(caller: Caller, slug: str) -> None:
    batch_id = begun_batch(caller, slug, inputs_of("name", "Ada"))
    ended = ended_batch(caller, batch_id)

    answer = caller.post(f"/api/batches/{batch_id}/cancel")

    assert (answer.status_code, answer.json()["status"]) == (202, "completed")
    assert batch_of(caller, batch_id) == ended


def test_the_bulk_cancel_takes_the_items_of_a_batch(caller: Caller) -> None:
    slug = caller.save(never())
    batch_id = begun_batch(caller, slug, [{"inputs": {}}] * 2)
    other = caller.start(slug)
    until(lambda: batch_of(caller, batch_id)["counts"]["processing"] == 2)

    answer = caller.post("/api/executions/cancel", {"batchId": batch_id})

    assert answer.json() == {"cancelled": 2, "more": False}
    assert ended_batch(caller, batch_id)["counts"] == counts(cancelled=2)
    assert caller.execution(other)["status"] == "processing"


# -- items that cannot begin ----------------------------------------------------------------------


def test_items_of_a_workflow_that_is_gone_fail(caller: Caller) -> None:
    slug = caller.save(never())
    batch_id = begun_batch(caller, slug, [{"inputs": {}}] * 3, concurrency=1)
    (running,) = until(lambda: items_of(caller, batch_id, "status=processing"))
    caller.delete(f"/api/workflows/{slug}")
    caller.post(f"/api/executions/{running['executionId']}/cancel")

    ended, rows = ended_batch(caller, batch_id), items_of(caller, batch_id)

    assert ended["status"] == "completed"
    assert ended["counts"] == counts(cancelled=1, failed=2)
    for row in rows[1:]:
        assert (row["executionId"], row["creditsCost"]) == (None, 0)
        assert_fits(row["error"], {"code": "WORKFLOW_NOT_FOUND", "message": sentence})


def test_a_retry_of_one_execution_changes_no_counts(caller: Caller) -> None:
    slug = caller.save(picky())
    batch_id = begun_batch(caller, slug, inputs_of("value", "x"))
    ended = ended_batch(caller, batch_id)
    (row,) = items_of(caller, batch_id)

    retried = caller.post(f"/api/executions/{row['executionId']}/retry")
    caller.ended(retried.json()["executionId"])

    assert retried.status_code == 202
    assert batch_of(caller, batch_id) == ended
    assert items_of(caller, batch_id) == [row]


# -- public workflows -----------------------------------------------------------------------------


def test_a_public_workflow_of_another_runs_without_its_version(
    caller: Caller, stranger: Caller
) -> None:
    slug = stranger.save(greeting(publicPlayground=True))

    batch_id = begun_batch(caller, slug, inputs_of("name", "Ada"))
    ended = ended_batch(caller, batch_id)

    assert (ended["workflowVersion"], ended["counts"]) == (None, counts(completed=1))
    assert items_of(caller, batch_id)[0]["result"] == {"text": "Hello Ada"}
    named = start_batch(caller, slug, inputs_of("name", "Ada"), "?version=1")
    assert named.status_code == 404
    stranger.clean()
