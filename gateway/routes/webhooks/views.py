"""Types of webhooks' deliveries, in answers and events."""

from typing import Annotated, Any, Self

from msgspec import UNSET, Meta, UnsetType

from engine.executions.statuses import TERMINAL
from engine.webhooks.deliveries import Delivery, DeliveryStatus
from engine.webhooks.payload import TEST_EVENT
from gateway.http.types import Moment, Nested, Uuid, View
from gateway.openapi.examples import ENDED, EXECUTION_ID

EVENTS = (*(f"execution.{status}" for status in sorted(TERMINAL)), TEST_EVENT)


class AttemptView(Nested, kw_only=True):
    """One attempt of a delivery, and the head of the receiver's answer."""

    at: Moment
    status: int | None
    duration_ms: int
    error: str | UnsetType = UNSET
    body: str | UnsetType = UNSET


class DeliveryView(View):
    """One event to one webhook."""

    id: Uuid
    execution_id: Uuid | None
    event: Annotated[str, Meta(extra_json_schema={"enum": list(EVENTS)})]
    status: DeliveryStatus
    attempts: list[AttemptView]
    next_attempt_at: Moment | None

    @classmethod
    def from_record(cls, record: Delivery, **members: Any) -> Self:
        """Build the view of a delivery with its attempts."""
        attempts = [AttemptView.from_record(each) for each in record.attempts]
        return super().from_record(record, attempts=attempts, **members)


TEST_DELIVERY = DeliveryView(
    id="0b0d1b3a-76f8-4b0a-a4c2-7a35ad1f25cf",
    execution_id=None,
    event="webhook.test",
    status=DeliveryStatus.PENDING,
    attempts=[],
    next_attempt_at=ENDED,
)
DELIVERED = DeliveryView(
    id=EXECUTION_ID,
    execution_id=EXECUTION_ID,
    event="execution.completed",
    status=DeliveryStatus.DELIVERED,
    attempts=[AttemptView(at=ENDED, status=200, duration_ms=84, body="ok")],
    next_attempt_at=None,
)
DeliveryView.examples = (TEST_DELIVERY,)
