"""Calls about batches."""

from typing import Any

import httpx2

from tests.support.acceptance.running_stack import until
from tests.support.contract.installation import Caller

OVER = {"completed", "cancelled"}


def start_batch(
    caller: Caller, slug: str, items: Any, query: str = "", *, headers: Any = None, **members: Any
) -> httpx2.Response:
    """Start a batch; `members` are further ones of the body."""
    body = {"items": items, **members}
    return caller.post(f"/api/workflows/{slug}/batch{query}", body, headers=headers or {})


def begun_batch(caller: Caller, slug: str, items: Any, **members: Any) -> str:
    """Start a batch; return its id."""
    answer = start_batch(caller, slug, items, **members)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["batchId"])


def inputs_of(name: str, *values: Any) -> list[Any]:
    """Return an item for each value of one field."""
    return [{"inputs": {name: value}} for value in values]


def batch_of(caller: Caller, batch_id: str) -> Any:
    """Return a batch."""
    answer = caller.get(f"/api/batches/{batch_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def ended_batch(caller: Caller, batch_id: str) -> Any:
    """Return a batch once it is over."""
    return until(lambda: batch_of(caller, batch_id), lambda found: found["status"] in OVER)


def items_of(caller: Caller, batch_id: str, query: str = "limit=200") -> list[Any]:
    """Return all items, from as many pages as there are."""
    path, rows, cursor = f"/api/batches/{batch_id}/items?{query}", [], ""
    while True:
        page = caller.get(path + (f"&cursor={cursor}" if cursor else "")).json()
        rows += page["rows"]
        cursor = page["nextCursor"]
        if cursor is None:
            return rows


def count_batches(caller: Caller, slug: str) -> int:
    """Return the number of the newest batches that are of a workflow."""
    rows = caller.get("/api/batches?limit=200").json()["rows"]
    return sum(row["workflowSlug"] == slug for row in rows)
