"""Webhook of a key, set from the command line by the rules of the API."""

from engine.access.capabilities import covers
from engine.errors import CapabilityDenied
from engine.settings import load
from engine.store import Store, Webhook
from engine.store.audit import COMMAND
from engine.webhooks.signing import CAPABILITY, NO_CAPABILITY, check_secret, check_webhook_url


async def set_webhook(store: Store, key_id: str, url: str, secret: str | None) -> Webhook:
    """Save the webhook. Raises NotFound, CapabilityDenied or InvalidWebhook."""
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
        by=COMMAND,
    )
