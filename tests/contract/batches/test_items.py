"""Items of a batch, by pages."""

import pytest

from tests.support.contract.batches import begun_batch, items_of
from tests.support.contract.installation import Caller, never
from tests.support.contract.shapes import assert_fits

ROUTES = {"GET /api/batches/{batch_id}/items": "execution:read"}


def test_items_come_in_pages_by_index(caller: Caller) -> None:
    batch_id = begun_batch(caller, caller.save(never()), [{"inputs": {}}] * 7, concurrency=1)

    rows = items_of(caller, batch_id, "limit=3")

    assert [row["index"] for row in rows] == list(range(7))
    last = rows[-1]
    expected = {"index": 6, "status": "queued", "executionId": None, "creditsCost": 0}
    assert_fits(last, {**expected, "result": None, "error": None})


def test_items_are_filtered_by_status(caller: Caller) -> None:
    batch_id = begun_batch(caller, caller.save(never()), [{"inputs": {}}] * 4, concurrency=1)

    queued = items_of(caller, batch_id, "status=queued&status=processing&limit=1")
    failed = items_of(caller, batch_id, "status=failed")

    assert [row["index"] for row in queued] == [0, 1, 2, 3]
    assert failed == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "cursor=x", "cursor=-1", "cursor=99999", "status=running"]
)
def test_a_page_that_cannot_be_is_refused(caller: Caller, query: str) -> None:
    batch_id = begun_batch(caller, caller.save(never()), [{"inputs": {}}])

    answer = caller.get(f"/api/batches/{batch_id}/items?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY")
