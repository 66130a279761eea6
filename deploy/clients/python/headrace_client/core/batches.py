"""Flows of batches: start, get, wait, items, list, cancel, retry."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from headrace_client.core.deadlines import Deadline
from headrace_client.core.decoding import decode
from headrace_client.core.effects import Flow, Request, Sleep
from headrace_client.core.executions import WORKFLOW_RUNS
from headrace_client.core.pages import iterate_pages, query_of
from headrace_client.core.session import (
    CLIENT,
    Session,
    json_request,
    new_idempotency_key,
)
from headrace_client.errors import WaitTimeoutError
from headrace_client.models import Batch, BatchItem, StartedBatch
from headrace_client.options import BatchInput, BatchOptions, WaitOptions

PATH = "/api/batches"
BODY_MEMBERS = ("tags", "webhook", "concurrency")


def _path(batch_id: str) -> str:
    return f"{PATH}/{quote(batch_id, safe='')}"


def start_batch(
    session: Session,
    slug: str,
    items: Iterable[BatchInput | Mapping[str, Any]],
    options: BatchOptions,
) -> Flow[StartedBatch]:
    """Begin a run for each item."""
    body: dict[str, Any] = {"items": [dict(item) for item in items]}
    values: Mapping[str, Any] = options
    body |= {name: values[name] for name in BODY_MEMBERS if values.get(name) is not None}
    request = json_request(
        f"/api/workflows/{quote(slug, safe='')}/batch",
        body,
        query=query_of({"version": options.get("version")}),
        headers={"idempotency-key": options.get("idempotency_key") or new_idempotency_key()},
    )
    deadline = session.deadline(options.get("timeout", CLIENT))
    members = yield from session.fetch(request, deadline, bucket=WORKFLOW_RUNS)
    return decode(StartedBatch, members)


def get_batch(session: Session, batch_id: str, deadline: Deadline | None = None) -> Flow[Batch]:
    """Return a batch with the counts of its items."""
    request = Request(method="GET", path=_path(batch_id))
    return decode(Batch, (yield from session.fetch(request, deadline or session.deadline())))


def wait_for_batch(session: Session, batch_id: str, options: WaitOptions) -> Flow[Batch]:
    """Poll until nothing of the batch is queued or runs. Raises WaitTimeoutError."""
    deadline, polls = session.deadline(options.get("timeout", CLIENT)), 0
    while True:
        batch = yield from get_batch(session, batch_id, deadline)
        if batch.has_ended:
            return batch
        if not deadline.remaining:
            message = f"Batch {batch_id} goes on after the timeout"
            raise WaitTimeoutError(message, batch_id=batch_id)
        yield Sleep(session.poll_pause(polls, deadline))
        polls += 1


def list_items(
    session: Session, batch_id: str, status: str | None, limit: int | None
) -> Flow[None]:
    """Emit the items of a batch by index, those with a status if one is given."""
    query = query_of({"status": status, "limit": limit})
    return iterate_pages(session, BatchItem, f"{_path(batch_id)}/items", query)


def list_batches(session: Session, limit: int | None) -> Flow[None]:
    """Emit batches, newest first."""
    return iterate_pages(session, Batch, PATH, query_of({"limit": limit}))


def cancel_batch(session: Session, batch_id: str) -> Flow[None]:
    """Begin no further item, and cancel those that run."""
    yield from session.send(json_request(f"{_path(batch_id)}/cancel"), session.deadline())


def retry_batch(session: Session, batch_id: str) -> Flow[StartedBatch]:
    """Begin a batch of the failed items; several calls at once give one batch."""
    request = json_request(f"{_path(batch_id)}/retry")
    members = yield from session.fetch(request, session.deadline(), bucket=WORKFLOW_RUNS)
    return decode(StartedBatch, members)
