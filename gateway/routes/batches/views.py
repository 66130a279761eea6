"""Types of answers about batches."""

from collections.abc import Sequence
from typing import Annotated, Any, Self

from engine.executions.batches import BatchCounts, BatchStatus, ItemStatus
from engine.services.batches.item_rows import ItemRow
from engine.store import Batch
from gateway.http.types import OBJECT, Credits, Moment, Nested, Uuid, View, described_as, doc
from gateway.openapi.examples import BATCH_ID, CREATED, ENDED, EXECUTION_ID, RESULT
from gateway.runs.batch_answers import ShownStatus
from gateway.runs.types import ERROR_MEMBERS, ExecutionFailure


class BatchCountsView(Nested):
    """Number of items of each status."""

    queued: int
    processing: int
    completed: int
    failed: int
    cancelled: int


class BatchView(View, kw_only=True):
    """A batch, with the number of its items by status."""

    batch_id: Uuid
    workflow_slug: str
    workflow_version: Annotated[int | None, doc("Null for a public workflow of another account.")]
    status: ShownStatus
    counts: Annotated[BatchCounts, described_as(BatchCountsView)]
    credits_cost: Credits
    tags: Sequence[str]
    created_at: Moment
    completed_at: Annotated[Moment | None, doc("Null while an item is queued or runs.")]

    @classmethod
    def from_batch(cls, batch: Batch) -> Self:
        """Build the view of a batch."""
        return cls.from_record(
            batch,
            batch_id=batch.id,
            workflow_slug=batch.slug,
            workflow_version=None if batch.owner_id else batch.version,
            status=batch.status.shown.value,
            credits_cost=batch.credits,
        )


class BatchPageView(View):
    """A page of batches."""

    rows: list[BatchView]
    next_cursor: str | None


class BatchItemView(View, kw_only=True):
    """An item of a batch, with the result of its execution."""

    index: Annotated[int, doc("Its place in the batch, from 0.")]
    status: ItemStatus
    execution_id: Annotated[Uuid | None, doc("Null: it has not begun, or could not begin.")]
    result: Any
    error: Annotated[OBJECT | None, described_as(ExecutionFailure | None)]
    credits_cost: Credits

    @classmethod
    def from_row(cls, row: ItemRow) -> Self:
        """Build the view of an item."""
        error = row.error and {name: row.error[name] for name in ERROR_MEMBERS if name in row.error}
        return cls.from_record(row, error=error)


class BatchItemPage(View):
    """A page of items, by index."""

    rows: list[BatchItemView]
    next_cursor: str | None


class BatchCancelRequested(View):
    """A batch whose queued items will not begin, and whose running ones are being cancelled."""

    batch_id: Uuid
    status: ShownStatus


EXAMPLE = BatchView(
    batch_id=BATCH_ID,
    workflow_slug="greeting",
    workflow_version=3,
    status=BatchStatus.COMPLETED.value,
    counts=BatchCounts(completed=2, failed=1),
    credits_cost=0,
    tags=["nightly"],
    created_at=CREATED,
    completed_at=ENDED,
)
BatchView.examples = (EXAMPLE,)
BatchPageView.examples = (BatchPageView([EXAMPLE], next_cursor=None),)
BatchItemView.examples = (
    BatchItemView(
        index=0,
        status=ItemStatus.COMPLETED,
        execution_id=EXECUTION_ID,
        result=RESULT,
        error=None,
        credits_cost=0,
    ),
)
BatchItemPage.examples = (BatchItemPage(list(BatchItemView.examples), next_cursor=None),)
BatchCancelRequested.examples = (BatchCancelRequested(BATCH_ID, "processing"),)
