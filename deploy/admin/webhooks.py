"""Webhook of a key, set from the command line by the rules of the API."""

from collections.abc import Sequence

from engine.access.capabilities import covers
from engine.errors import CapabilityDenied, Unavailable
from engine.settings import load
from engine.store import Store, Webhook
from engine.store.audit import COMMAND
from engine.store.schema import RELEASES_SCHEMA
from engine.store.webhooks.run_webhooks import SINCE_SCHEMA
from engine.webhooks.events import CANARY_ROLLED_BACK, ENDS, KEY_EVENTS, check_events
from engine.webhooks.signing import CAPABILITY, NO_CAPABILITY, check_secret, check_webhook_url
from gateway.runs.webhooks import NEEDS_SCHEMA


async def set_webhook(
    store: Store, key_id: str, url: str, secret: str | None, events: Sequence[str] = ()
) -> Webhook:
    """Save the webhook; without events it keeps its own, at first the three ends.

    It gets no links of approvals: only a session or a key with `execution:approve` gives it these.
    Raises NotFound, CapabilityDenied, InvalidWebhook, or Unavailable by the schema of the store.
    """
    asked = check_events([*events], known=KEY_EVENTS) if events else None
    if asked not in (None, ENDS) and not store.schema.allows(SINCE_SCHEMA):
        raise Unavailable(NEEDS_SCHEMA)
    if asked is not None and CANARY_ROLLED_BACK in asked:
        store.schema.require(RELEASES_SCHEMA, "Canaries")
    key = await store.api_keys.get(key_id)
    if not covers(key.capabilities, CAPABILITY):
        raise CapabilityDenied(CAPABILITY, NO_CAPABILITY)
    checked = check_webhook_url(url, allow_private=load().allow_private_urls)
    own = None if secret is None else check_secret(secret)
    return await store.webhooks.save(
        *(key.account_id, key.id),
        url=checked,
        secret=own,
        makes_secret=own is None,
        events=asked,
        by=COMMAND,
    )
