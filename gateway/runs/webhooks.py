"""Webhook of a run: the one that its body names, or that of its key."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from engine.access.capabilities import APPROVE
from engine.errors import EngineError, InvalidWebhook, Unavailable
from engine.ids.idempotency import IdempotencyKey
from engine.net.url_policy import check_url
from engine.store import Principal
from engine.store.webhooks.run_webhooks import SINCE_SCHEMA, RunWebhook
from engine.webhooks.events import EVENTS, check_events
from engine.webhooks.signing import (
    CAPABILITY,
    MAX_SECRET,
    MAX_URL,
    MIN_SECRET,
    check_secret,
    check_webhook_url,
)
from gateway.auth.principal import check_capability, has_capability
from gateway.http.types import Nested, described_as, doc
from gateway.services import GatewayRequest

NEEDS_SCHEMA = (
    "A run or a batch can have a webhook of its own, and a webhook its own events, once the schema "
    "of the store is raised: the operator runs `headrace migrate` after the last process of the "
    "release before has gone"
)

WebhookEvents = Annotated[
    list[Annotated[str, Meta(extra_json_schema={"enum": list(EVENTS)})]], Meta(min_length=1)
]


WebhookSecret = Annotated[str, Meta(min_length=MIN_SECRET, max_length=MAX_SECRET)]


class WebhookOfRun(Nested, kw_only=True):
    """A webhook for this run alone, in place of the one of its key."""

    url: Annotated[str, Meta(min_length=1, max_length=MAX_URL)]
    secret: Annotated[
        WebhookSecret | UnsetType,
        doc("Left out: that of the key's webhook signs, whose origin the URL must have."),
    ] = UNSET
    events: Annotated[
        WebhookEvents | UnsetType,
        doc("Left out: `execution.completed`, `execution.failed` and `execution.cancelled`."),
    ] = UNSET


WebhookMember = Annotated[
    Any,
    described_as(WebhookOfRun | None),
    doc("Told of the run, even when its caller gets the answer. Its key needs `webhook:receive`."),
]


class RequestedWebhook(Struct, frozen=True):
    """Webhook to tell of a run, and its secret, if the body names one."""

    webhook: RunWebhook
    secret: str = ""

    async def seal(self, request: GatewayRequest, account_id: str, owner: str) -> RunWebhook:
        """Return the webhook with its secret sealed for its owner. Raises Unavailable."""
        if not self.secret:
            return self.webhook
        webhooks = request.services.store.webhooks
        sealed = await webhooks.seal(account_id, owner, self.secret)
        return self.webhook.with_secret(sealed)


def check_schema(request: GatewayRequest) -> None:
    """Raise Unavailable while processes of release 0.1.0 may run, which know no such webhooks."""
    if not request.services.store.schema.allows(SINCE_SCHEMA):
        raise Unavailable(NEEDS_SCHEMA)


async def find_webhook(
    request: GatewayRequest,
    principal: Principal,
    named: Any = None,
    *,
    is_async: bool,
    idempotency_key: IdempotencyKey | None,
    takes_events: bool = True,
) -> RequestedWebhook | None:
    """Return the webhook to tell of a run: the named one, else for an async run that of its key.

    A repeated call gets the first answer, whatever has become of its webhook. Raises what
    `read_webhook` raises.
    """
    if named is None:
        webhook = await webhook_of_key(request, principal) if is_async else None
        return None if webhook is None else RequestedWebhook(webhook)
    try:
        return await read_webhook(request, principal, named, takes_events=takes_events)
    except EngineError:
        acceptance = request.services.store.acceptance
        if await acceptance.find_replay(principal.account.id, idempotency_key) is None:
            raise
        return None


async def webhook_of_key(request: GatewayRequest, principal: Principal) -> RunWebhook | None:
    """Return the webhook of the caller's key, None without one that may be used."""
    if principal.key is None or not has_capability(principal, CAPABILITY):
        return None
    return await request.services.store.webhooks.in_force(principal.account.id, principal.key.id)


async def read_webhook(
    request: GatewayRequest,
    principal: Principal,
    named: Any,
    *,
    takes_events: bool = True,
    may_use_key: bool = True,
) -> RequestedWebhook:
    """Return the webhook that the body of a run, a batch or a trigger names, checked.

    `may_use_key`: without a secret, that of the key's webhook signs, whose origin it must have.
    Raises InvalidWebhook, CapabilityDenied or CapabilityAboveCeiling; Unavailable by the schema.
    """
    check_capability(principal, CAPABILITY)
    check_schema(request)
    if not isinstance(named, dict):
        raise InvalidWebhook("webhook", "The webhook must be an object with a URL")
    known = ("url", "secret", "events") if takes_events else ("url", "secret")
    for name in named:
        if name not in known:
            words = ", ".join(f"'{each}'" for each in known)
            raise InvalidWebhook(f"webhook.{name[:64]}", f"The webhook has no such member: {words}")
    secret = named.get("secret")
    try:
        url = check_webhook_url(
            named.get("url"), allow_private=request.services.settings.allow_private_urls
        )
        if secret is not None:
            secret = check_secret(secret)
    except InvalidWebhook as error:
        raise error.within("webhook") from None
    events = check_events(named["events"], "webhook.events") if "events" in named else None
    if secret is None and may_use_key:
        await _check_origin(request, principal, url)
    webhook = RunWebhook(
        url=url, events=events, is_own=True, may_approve=has_capability(principal, APPROVE)
    )
    return RequestedWebhook(webhook, secret or "")


async def _check_origin(request: GatewayRequest, principal: Principal, url: str) -> None:
    """Raise InvalidWebhook unless the key has a webhook of the same origin, whose secret signs."""
    if principal.key is None:
        raise InvalidWebhook("webhook.secret", "Without an API key, the webhook needs a secret")
    webhooks = request.services.store.webhooks
    own = await webhooks.find(principal.account.id, principal.key.id)
    if own is None:
        reason = "The key has no webhook whose secret could sign: the webhook needs a secret"
        raise InvalidWebhook("webhook.secret", reason)
    if not has_same_origin(own.url, url):
        reason = (
            "The secret of the key's webhook signs only for its own origin: the webhook needs a "
            "secret"
        )
        raise InvalidWebhook("webhook.secret", reason)


def has_same_origin(url: str, other: str) -> bool:
    """Return whether two valid URLs have scheme, host and port in common."""
    return _origin(url) == _origin(other)


def _origin(url: str) -> tuple[str, str, int]:
    target = check_url(url, allow_private=True)
    return target.scheme, target.host.rstrip("."), target.port
