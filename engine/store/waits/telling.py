"""Webhooks that are told of waits, and ids of these deliveries."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from engine.executions.node_waits import NodeWait
from engine.store.redis import keyspace
from engine.store.waits.records import parse_wait, wait_field
from engine.store.webhooks.delivery_keys import (
    NO_DELIVERY_KEYS,
    DeliveryKeys,
    WebhookOwner,
    delivery_keys,
    event_delivery_id,
)
from engine.webhooks.events import WAITING

TOLD_FIELDS = ("key", "webhook_url", "webhook_events", "webhook_owner")
"""Fields of the record of a root: its webhook, as it was when the root was accepted."""


class WaitDelivery(Struct, frozen=True):
    """Delivery of a wait, and the keys with which the script that opens the wait adds it."""

    reference: str | None = None
    """Name of the delivery in hints; None: there is none."""
    keys: DeliveryKeys = NO_DELIVERY_KEYS


NO_WAIT_DELIVERY = WaitDelivery()


def delivery_of_wait(
    account_id: str,
    root_id: str,
    execution_id: str,
    node_index: int,
    told: Sequence[bytes | None],
) -> WaitDelivery:
    """Return the delivery of a wait by `TOLD_FIELDS` of its root; none where nobody asks for it."""
    key_id, url, events, name = told
    owner = WebhookOwner.of_record(key_id, events, name)
    if url is None or not owner.asks_for(WAITING):
        return NO_WAIT_DELIVERY
    delivery_id = wait_delivery_id(root_id, execution_id, node_index)
    keys = delivery_keys(account_id, root_id, owner, keyspace.delivery(account_id, delivery_id))
    return WaitDelivery(keyspace.reference(account_id, delivery_id), keys)


def wait_delivery_id(root_id: str, execution_id: str, node_index: int) -> str:
    """Return the id of the delivery of a wait of a root or of one of its children."""
    return event_delivery_id(root_id, f"{WAITING}:{execution_id}/{node_index}")


def parse_told_wait(account_id: str, delivery: Mapping[str, bytes]) -> NodeWait | None:
    """Return the wait that the record of a delivery is about; None: it is about another event.

    It lacks its values where the workflow does not record all, and the delivery has ended before.
    """
    if "waits" not in delivery:
        return None
    execution_id, _, index = delivery["waits"].decode().rpartition("/")
    record = {"root": delivery["execution"], wait_field(int(index)): delivery["wait"]}
    return parse_wait(account_id, execution_id, record, int(index))
