"""Batches that have begun: progress, lists, and who may see them."""

import httpx2
import pytest

from tests.support.contract.batches import (
    batch_of,
    begun_batch,
    inputs_of,
)
from tests.support.contract.installation import Administration, Caller, never
from tests.support.contract.shapes import assert_fits, moment, sentence
from tests.support.gateway.documents import greeting

ROUTES = {
    "GET /api/batches": "execution:read",
    "GET /api/batches/{batch_id}": "execution:read",
}
COUNTS = ("queued", "processing", "completed", "failed", "cancelled")
NO_ONE = "00000000-0000-4000-8000-000000000000"


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
        answers += [who.get(path), who.get(f"{path}/items"), who.post(f"{path}/retry")]

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
    retried = reader.post(f"{path}/retry")

    assert [answer.status_code for answer in read] == [200, 200, 200]
    assert (retried.status_code, retried.json()["required"]) == (403, "workflow:run")
    runner.clean()
