"""Types of webhooks' deliveries, in answers and events."""

from typing import Annotated, Any, Self

from msgspec import UNSET, Meta, UnsetType

from engine.errors import NotFound
from engine.ids.executions import is_execution_id
from engine.store.webhooks.delivery_reads import NO_DELIVERY
from engine.store.webhooks.owners import key_of
from engine.webhooks.deliveries import Delivery, DeliveryStatus
from engine.webhooks.events import BATCH_ENDS, KEY_EVENTS
from engine.webhooks.payload import TEST_EVENT
from gateway.http.types import Moment, Nested, Uuid, View, doc
from gateway.openapi.examples import ENDED, EXECUTION_ID, KEY_ID
from gateway.services import GatewayRequest

DELIVERED_EVENTS = (*KEY_EVENTS, *BATCH_ENDS, TEST_EVENT)


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
    url: str
    key_id: Annotated[
        str | None, doc("The API key of the webhook; null: it is that of a run or a batch.")
    ]
    execution_id: Uuid | None
    event: Annotated[str, Meta(extra_json_schema={"enum": list(DELIVERED_EVENTS)})]
    status: DeliveryStatus
    attempts: list[AttemptView]
    next_attempt_at: Moment | None
    batch_id: Annotated[
        Uuid | UnsetType, doc("The batch whose end it tells of; absent for other events.")
    ] = UNSET

    @classmethod
    def from_record(cls, record: Delivery, **members: Any) -> Self:
        """Build the view of a delivery with its attempts."""
        members |= {"key_id": key_of(record.owner), "batch_id": record.batch_id or UNSET}
        attempts = [AttemptView.from_record(each) for each in record.attempts]
        return super().from_record(record, attempts=attempts, **members)


class DeliveryPage(View):
    """A page of deliveries."""

    rows: list[DeliveryView]
    next_cursor: str | None


def read_delivery_id(request: GatewayRequest) -> str:
    """Return the delivery's id in the path. Raises NotFound for a text that is none."""
    delivery_id: str = request.path_params["delivery_id"]
    if not is_execution_id(delivery_id):
        raise NotFound(NO_DELIVERY)
    return delivery_id


EXAMPLE_URL = "https://example.com/hooks"
TEST_DELIVERY = DeliveryView(
    id="0b0d1b3a-76f8-4b0a-a4c2-7a35ad1f25cf",
    url=EXAMPLE_URL,
    key_id=KEY_ID,
    execution_id=None,
    event="webhook.test",
    status=DeliveryStatus.PENDING,
    attempts=[],
    next_attempt_at=ENDED,
)
DELIVERED = DeliveryView(
    id=EXECUTION_ID,
    url=EXAMPLE_URL,
    key_id=KEY_ID,
    execution_id=EXECUTION_ID,
    event="execution.completed",
    status=DeliveryStatus.DELIVERED,
    attempts=[AttemptView(at=ENDED, status=200, duration_ms=84, body="ok")],
    next_attempt_at=None,
)
DeliveryPage.examples = (DeliveryPage([TEST_DELIVERY, DELIVERED], next_cursor=None),)
DeliveryView.examples = (TEST_DELIVERY,)
