"""Answers of batches, replays and test runs."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from msgspec import UNSET
from starlette.responses import Response

from engine import errors
from engine.services.batches.start_once import StartedBatch
from gateway.http import response_headers
from gateway.http.responses import encode_json
from gateway.http.types import JSON, Uuid, View, described_as, doc
from gateway.openapi.examples import BATCH_ID
from gateway.runs.types import Warnings
from gateway.services import GatewayRequest

BATCH_ERRORS: tuple[type[errors.EngineError], ...] = (
    errors.InsufficientCredits,
    errors.ModelTierRequired,
    errors.ModelNotFound,
    errors.QuotaExceeded,
    errors.RateLimitExceeded,
    errors.LoopDetected,
)
"""Errors of starts and retries."""
ShownStatus = Annotated[str, described_as(Literal["processing", "completed", "cancelled"])]
"""Status of a batch, a replay or a test run as callers see it."""


class StartedBatchView(View):
    """An accepted batch, whose items begin soon."""

    links = {
        name: {"batch_id": "batchId"}
        for name in ("get_batch", "list_batch_items", "cancel_batch", "retry_batch")
    }

    batch_id: Uuid
    items: Annotated[int, doc("The number of its items.")]
    status: Literal["processing"]
    poll_url: str
    warnings: Warnings = UNSET

    @classmethod
    def of(cls, batch_id: str, size: int, warnings: Sequence[str] = ()) -> Self:
        """Build the answer that leads to the batch."""
        return cls(
            batch_id=batch_id,
            items=size,
            status="processing",
            poll_url=f"/api/batches/{batch_id}",
            warnings=warnings or UNSET,
        )


StartedBatchView.examples = (StartedBatchView.of(BATCH_ID, 3),)


def make_answer(batch_id: str, size: int, warnings: Sequence[str] = ()) -> str:
    """Return the body of the answer for an accepted batch of so many items."""
    return encode_json(StartedBatchView.of(batch_id, size, warnings)).decode()


def answer_started(request: GatewayRequest, started: StartedBatch) -> Response:
    """Return the answer for a batch that was accepted, now or by an earlier call."""
    if started.is_replay:
        response_headers.add(request.scope, idempotent_replayed="true")
    return Response(started.answer, 202, media_type=JSON)
