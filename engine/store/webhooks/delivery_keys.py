"""Keys with which the scripts of executions add deliveries, and ids of these deliveries."""

import uuid
from collections.abc import Sequence

from msgspec import Struct

from engine.ids.partitions import partition_of
from engine.store.redis import keyspace
from engine.store.webhooks.owners import run_owner
from engine.webhooks.events import ENDS, NODE_FINISHED, parse_events


class DeliveryKeys(Struct, frozen=True, kw_only=True):
    """Keys with which a script adds deliveries of an execution; None: it needs none."""

    delivery: str | None = None
    """Delivery of the execution's end, or of its beginning when it is accepted."""
    deliveries_due: str | None = None
    webhook_deliveries: str | None = None
    account_deliveries: str | None = None
    run_deliveries: str | None = None
    """Deliveries of the execution, if it may have several."""
    run_webhook: str | None = None
    """The run's own webhook."""


NO_DELIVERY_KEYS = DeliveryKeys()
"""Keys of an execution without a webhook."""


class WebhookOwner(Struct, frozen=True):
    """Owner of the webhook that is told of an execution."""

    name: str
    """API key, or the owner of the run's own webhook."""
    events: Sequence[str] | None = None
    """Events that it asks for; None: the three ends."""

    @classmethod
    def of_record(
        cls, key_id: bytes | None, events: bytes | None, owner: bytes | None
    ) -> "WebhookOwner":
        """Return that of a record with a webhook, by its fields."""
        return cls((owner or key_id or b"").decode(), parse_events(events))

    def asks_for(self, event: str) -> bool:
        """Return whether it asks for this event."""
        return event in (ENDS if self.events is None else self.events)


def delivery_keys(
    account_id: str, execution_id: str, owner: WebhookOwner, delivery: str | None = None
) -> DeliveryKeys:
    """Return the keys with which a script adds a delivery; None: that of the execution's end."""
    run = run_owner(execution_id)
    is_own, has_events = owner.name == run, owner.events is not None
    return DeliveryKeys(
        delivery=delivery or keyspace.delivery(account_id, execution_id),
        deliveries_due=keyspace.deliveries_due(partition_of(account_id)),
        webhook_deliveries=keyspace.webhook_deliveries(account_id, owner.name),
        account_deliveries=keyspace.account_deliveries(account_id),
        run_deliveries=keyspace.webhook_deliveries(account_id, run) if has_events else None,
        run_webhook=keyspace.webhook(account_id, run) if is_own else None,
    )


def event_delivery_id(execution_id: str, event: str) -> str:
    """Return the id of the delivery of an event, which is not the end, of an execution."""
    return str(uuid.uuid5(uuid.UUID(execution_id), event))


def node_delivery_id(execution_id: str, index: int) -> str:
    """Return the id of the delivery of the end of a node."""
    return event_delivery_id(execution_id, f"{NODE_FINISHED}:{index}")
