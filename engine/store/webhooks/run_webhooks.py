"""Webhook that is told of one run: that of its key, or the run's own."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from engine.errors import InvalidWebhook
from engine.store.redis import keyspace
from engine.store.redis.connection import Argument
from engine.store.webhooks.delivery_keys import (
    NO_DELIVERY_KEYS,
    DeliveryKeys,
    WebhookOwner,
    delivery_keys,
    event_delivery_id,
)
from engine.store.webhooks.owners import run_owner
from engine.webhooks.events import OF_NODES, STARTED

SINCE_SCHEMA = 2
"""Processes of 0.1.0 know neither webhooks of runs nor events of webhooks."""
RESEND_DELIVERY_MS = 2_000
"""Time until the hint of a delivery is sent again."""


NO_NODES = "Runs of another account's workflow do not send " + " or ".join(
    f"'{each}'" for each in OF_NODES
)


class RunWebhook(Struct, frozen=True, kw_only=True):
    """Webhook to tell of a run. It is frozen in the record: its key may be deleted by the end."""

    url: str
    events: Sequence[str] | None = None
    """Events that it asks for; None: the three ends."""
    is_own: bool = False
    """Whether the run brought it; False: it is that of the run's key."""
    sealed_secret: bytes = b""
    """Secret of the run's own one, sealed to its place; empty: the secrets of the webhook of the
    run's key sign its deliveries."""
    may_approve: bool = False
    """Whether the setter of the run's own one may answer approvals: it gets their links then."""

    def with_secret(self, sealed: bytes) -> "RunWebhook":
        """Return it with its sealed secret."""
        return replace(self, sealed_secret=sealed)

    def for_foreign_workflow(self) -> "RunWebhook":
        """Return it for a run of another account's workflow, which tells of no nodes.

        Raises InvalidWebhook when the run's own webhook asks for them.
        """
        if self.events is None or not any(each in OF_NODES for each in self.events):
            return self
        if self.is_own:
            raise InvalidWebhook("webhook.events", NO_NODES)
        return replace(self, events=[each for each in self.events if each not in OF_NODES])

    def owner(self, key_id: str, execution_id: str) -> WebhookOwner:
        """Return its owner."""
        name = run_owner(execution_id) if self.is_own else key_id
        return WebhookOwner(name, self.events)

    def record_fields(self, execution_id: str, keep_ms: int) -> dict[str, Argument]:
        """Return the fields of the execution's record, of which deliveries are made."""
        fields: dict[str, Argument] = {
            "webhook_url": self.url,
            "delivery_keep_ms": keep_ms,
            "delivery_resend_ms": RESEND_DELIVERY_MS,
        }
        if self.events is not None:
            fields["webhook_events"] = ",".join(self.events)
        if self.is_own:
            fields["webhook_owner"] = run_owner(execution_id)
        return fields

    def tells_start(self) -> bool:
        """Return whether it is told of the beginning of the run."""
        return self.events is not None and STARTED in self.events

    def keys_of_start(self, account_id: str, key_id: str, execution_id: str) -> DeliveryKeys:
        """Return the keys with which the script of the acceptance opens it and tells it."""
        if not self.is_own and not self.tells_start():
            return NO_DELIVERY_KEYS
        keys = delivery_keys(account_id, execution_id, self.owner(key_id, execution_id))
        if not self.tells_start():
            return DeliveryKeys(run_webhook=keys.run_webhook)
        return replace(keys, delivery=keyspace.delivery(account_id, start_id(execution_id)))


def start_id(execution_id: str) -> str:
    """Return the id of the delivery of the beginning of an execution."""
    return event_delivery_id(execution_id, STARTED)
