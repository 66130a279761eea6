"""Outbound webhook of a trigger, which is told of its runs."""

from typing import Any

from engine.errors import InvalidWebhook
from engine.store import Principal
from engine.triggers.trigger import TriggerWebhook
from gateway.runs.webhooks import has_same_origin, read_webhook
from gateway.services import GatewayRequest

UNSIGNED = "The webhook of a trigger needs a secret: that of no key signs its deliveries"


async def read_trigger_webhook(
    request: GatewayRequest,
    principal: Principal,
    trigger_id: str,
    named: Any,
    former: TriggerWebhook | None,
) -> TriggerWebhook:
    """Return the webhook that a body names, with its secret sealed.

    Without a secret, the one of the former webhook stays where the URL has the same origin. Raises
    what `read_webhook` raises.
    """
    found = await read_webhook(request, principal, named, may_use_key=False)
    url, events, account_id = found.webhook.url, found.webhook.events, principal.account.id
    if found.secret:
        triggers = request.services.store.triggers
        sealed = await triggers.seal_webhook(account_id, trigger_id, found.secret)
    elif former is not None and has_same_origin(former.url, url):
        sealed = former.sealed_secret
    else:
        raise InvalidWebhook("webhook.secret", UNSIGNED)
    may_approve = found.webhook.may_approve
    return TriggerWebhook(url=url, events=events, sealed_secret=sealed, may_approve=may_approve)
