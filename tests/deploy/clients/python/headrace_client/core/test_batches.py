import json
from typing import Any

import pytest

from headrace_client import WaitTimeoutError
from headrace_client.core.batches import list_items, start_batch, wait_for_batch
from tests.support.http.clients.fake_driver import FakeDriver, answer

STARTED = {"batchId": "b1", "items": 2, "status": "processing", "pollUrl": "/api/batches/b1"}


def batch(status: str, **counts: int) -> dict[str, Any]:
    return {
        "batchId": "b1",
        "workflowSlug": "s",
        "workflowVersion": None,
        "status": status,
        "counts": counts,
        "creditsCost": 1.5,
        "tags": ["a"],
        "createdAt": "2026-11-30T10:00:00.000Z",
        "completedAt": None,
    }


def test_a_batch_is_started_with_its_options() -> None:
    driver = FakeDriver([answer(202, STARTED)])

    started = driver.drive(
        start_batch(
            driver.session(),
            "s",
            [{"inputs": {"a": 1}}, {"inputs": {}, "tags": ["t"]}],
            {"concurrency": 5, "version": 2, "tags": ["a"]},
        )
    )

    [request] = driver.requests
    assert (started.batch_id, started.items) == ("b1", 2)
    assert (request.path, request.query) == ("/api/workflows/s/batch", (("version", "2"),))
    assert "idempotency-key" in request.headers
    assert json.loads(request.body or b"") == {
        "items": [{"inputs": {"a": 1}}, {"inputs": {}, "tags": ["t"]}],
        "tags": ["a"],
        "concurrency": 5,
    }


def test_a_batch_is_waited_for() -> None:
    going, ended = batch("processing", queued=1), batch("completed", completed=2)
    driver = FakeDriver([answer(200, going), answer(200, ended)])

    done = driver.drive(wait_for_batch(driver.session(), "b1", {}))

    assert (done.status, done.counts.completed, done.counts.queued) == ("completed", 2, 0)


def test_the_timeout_names_the_batch() -> None:
    driver = FakeDriver([answer(200, batch("processing"))] * 9)

    with pytest.raises(WaitTimeoutError) as raised:
        driver.drive(wait_for_batch(driver.session(), "b1", {"timeout": 1}))
    assert raised.value.batch_id == "b1"


def test_items_are_read_by_pages() -> None:
    item = {
        "index": 0,
        "status": "failed",
        "executionId": None,
        "result": None,
        "error": {"code": "INSUFFICIENT_CREDITS", "message": "m"},
        "creditsCost": 0,
    }
    driver = FakeDriver([answer(200, {"rows": [item], "nextCursor": None})])

    driver.drive(list_items(driver.session(), "b1", "failed", 1))

    assert driver.emitted[0].error.code == "INSUFFICIENT_CREDITS"
    assert driver.requests[0].query == (("status", "failed"), ("limit", "1"))
