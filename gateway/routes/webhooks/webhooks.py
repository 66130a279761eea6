"""Webhooks of API keys and their deliveries, for the browsers of the accounts that own them."""

import logging
from dataclasses import replace
from typing import Annotated, Any, Self

from msgspec import UNSET, Meta, UnsetType
from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.access.capabilities import covers
from engine.store import ApiKey, Principal, Webhook
from engine.store.schema import RELEASES_SCHEMA
from engine.values.plain import moment
from engine.webhooks.deliveries import DeliveryStatus
from engine.webhooks.events import CANARY_ROLLED_BACK, ENDS, KEY_EVENTS, check_events
from engine.webhooks.signing import (
    CAPABILITY,
    MAX_SECRET,
    MAX_URL,
    MIN_SECRET,
    NO_CAPABILITY,
    check_secret,
    check_webhook_url,
)
from gateway.auth.endpoints import operation, session_only
from gateway.auth.principal import check_capability
from gateway.auth.resource import Resource
from gateway.http.query import PageQuery
from gateway.http.request_bodies import read_body
from gateway.http.responses import DELETED, Deleted, json_response
from gateway.http.types import Instant, Moment, RequestBody, View, described_as, doc
from gateway.openapi.examples import CREATED
from gateway.routes.webhooks.views import DeliveryPage, DeliveryView, read_delivery_id
from gateway.runs.webhooks import check_schema
from gateway.services import GatewayRequest

logger = logging.getLogger(__name__)


KeyEvents = Annotated[
    list[Annotated[str, Meta(extra_json_schema={"enum": list(KEY_EVENTS)})]], Meta(min_length=1)
]
ShownEvents = Annotated[
    KeyEvents | UnsetType, doc("The events that were set; absent: the three ends.")
]


class SavedWebhook(View, kw_only=True):
    """A saved webhook: as `WebhookView`, with a secret that was just created."""

    url: str
    enabled: bool
    events: ShownEvents = UNSET
    secret: str | UnsetType = UNSET
    disabled_reason: str | UnsetType = UNSET
    created_at: Moment

    @classmethod
    def from_record(cls, record: Webhook, **members: Any) -> Self:
        """Build the view of a webhook; the secret is present only when it was just created."""
        members |= {"secret": record.made_secret or UNSET, "events": record.events or UNSET}
        return super().from_record(
            record, disabled_reason=record.disabled_reason or UNSET, **members
        )


class WebhookView(View, kw_only=True):
    """A webhook, without its secret."""

    url: str
    enabled: bool
    events: ShownEvents = UNSET
    disabled_reason: str | UnsetType = UNSET
    created_at: Moment

    @classmethod
    def from_record(cls, record: Webhook, **members: Any) -> Self:
        """Build the view of a webhook."""
        members["events"] = record.events or UNSET
        return super().from_record(
            record, disabled_reason=record.disabled_reason or UNSET, **members
        )


class DeliveriesQuery(PageQuery):
    """Query of the deliveries of a webhook."""

    status: Annotated[DeliveryStatus | None, doc("Only deliveries with this status.", "failed")] = (
        None
    )


class WebhookRequest(RequestBody, kw_only=True):
    """A webhook to save; the engine checks the URL and the secret."""

    url: Annotated[Any, described_as(Annotated[str, Meta(min_length=1, max_length=MAX_URL)])]
    secret: Annotated[
        Any,
        described_as(
            Annotated[str, Meta(min_length=MIN_SECRET, max_length=MAX_SECRET)] | None,
            description="Left out: as it is, or made when there is none. Null: a new one is made.",
        ),
    ] = UNSET
    enabled: bool = True
    events: Annotated[
        Any,
        described_as(
            KeyEvents | None,
            description="Left out or null: as they are, at first the three ends.",
        ),
    ] = None


class RedeliveryRequest(RequestBody, kw_only=True):
    """Deliveries to send again."""

    since: Annotated[Instant, doc("Deliveries of events from this time on.")]
    status: DeliveryStatus | None = None


class RedeliveryView(View):
    """Deliveries that are sent again soon."""

    redelivered: Annotated[int, doc("Number of deliveries.")]
    more: Annotated[bool, doc("Whether deliveries are left, for another call.")]
    next_since: Annotated[Moment | None, doc("The `since` of that call.")]


WEBHOOK: dict[str, Any] = {
    "url": "https://example.com/hooks",
    "enabled": True,
    "created_at": CREATED,
}
WebhookView.examples = (WebhookView(**WEBHOOK),)
SavedWebhook.examples = (SavedWebhook(**WEBHOOK | {"secret": "whsec_…"}),)
WebhookRequest.examples = (WebhookRequest(url=WEBHOOK["url"]),)
RedeliveryRequest.examples = (
    RedeliveryRequest(since=Instant(1_769_860_800_000), status=DeliveryStatus.FAILED),
)
RedeliveryView.examples = (RedeliveryView(redelivered=12, more=False, next_since=None),)


@operation(answers={200: WebhookView})
@session_only
async def get_webhook(request: GatewayRequest, principal: Principal) -> Response:
    """The webhook of a key, without its secret."""
    key = await _own_key(request, principal)
    webhook = await request.services.store.webhooks.get(key.account_id, key.id)
    return json_response(WebhookView.from_record(webhook))


@operation(
    body=WebhookRequest,
    answers={200: SavedWebhook},
    errors=(errors.InvalidWebhook, errors.CapabilityDenied, errors.CapabilityAboveCeiling),
)
@session_only
async def put_webhook(request: GatewayRequest, principal: Principal) -> Response:
    """Set where the events go; a secret that was made here is shown this once."""
    services = request.services
    key = await _own_key(request, principal)
    body = await read_body(request, WebhookRequest)
    url = check_webhook_url(body.url, allow_private=services.settings.allow_private_urls)
    # Absent: unchanged, or created when there is none. Null: a new one is created.
    makes_secret = body.secret is None
    secret = None if body.secret in (None, UNSET) else check_secret(body.secret)
    events = None if body.events is None else check_events(body.events, known=KEY_EVENTS)
    if events is not None and events != ENDS:
        check_schema(request)
    if events is not None and CANARY_ROLLED_BACK in events:
        services.store.schema.require(RELEASES_SCHEMA, "Canaries")
    if not covers(key.capabilities, CAPABILITY):
        raise errors.CapabilityDenied(CAPABILITY, NO_CAPABILITY)
    check_capability(replace(principal, key=key), CAPABILITY)
    webhook = await services.store.webhooks.save(
        *(key.account_id, key.id),
        url=url,
        enabled=body.enabled,
        secret=secret,
        makes_secret=makes_secret,
        events=events,
        may_approve=True,  # as every session of the account
    )
    logger.info("webhook saved", extra={"account_id": key.account_id, "key_id": key.id})
    return json_response(SavedWebhook.from_record(webhook))


@operation(answers={200: Deleted})
@session_only
async def delete_webhook(request: GatewayRequest, principal: Principal) -> Response:
    """Delete the webhook; deliveries that are still due fail."""
    key = await _own_key(request, principal)
    await request.services.store.webhooks.delete(key.account_id, key.id)
    logger.info("webhook deleted", extra={"account_id": key.account_id, "key_id": key.id})
    return json_response(DELETED)


@operation(answers={202: DeliveryView}, errors=(errors.InvalidWebhook,))
@session_only
async def send_test_event(request: GatewayRequest, principal: Principal) -> Response:
    """Send a made-up event soon."""
    key = await _own_key(request, principal)
    store = request.services.store
    webhook = await store.webhooks.get(key.account_id, key.id)
    if not webhook.enabled:
        raise errors.InvalidWebhook("enabled", "The webhook is disabled")
    delivery = await store.deliveries.add_test(key.account_id, key.id, webhook)
    return json_response(DeliveryView.from_record(delivery), 202)


@operation(
    query=DeliveriesQuery,
    answers={200: DeliveryPage},
    errors=(errors.InvalidQuery,),
)
@session_only
async def list_deliveries(request: GatewayRequest, principal: Principal) -> Response:
    """The deliveries of a webhook and their attempts, newest first, a page at a time."""
    query = DeliveriesQuery.parse(request.scope)
    key = await _own_key(request, principal)
    rows, next_cursor = await request.services.store.deliveries.list(
        key.account_id, key.id, limit=query.limit, after=query.cursor, status=query.status
    )
    return json_response(DeliveryPage([DeliveryView.from_record(row) for row in rows], next_cursor))


@operation(answers={202: DeliveryView}, errors=(errors.InvalidWebhook,))
@session_only
async def redeliver(request: GatewayRequest, principal: Principal) -> Response:
    """Send one delivery again soon, to where the webhook leads now."""
    key = await _own_key(request, principal)
    delivery_id = read_delivery_id(request)
    deliveries = request.services.store.deliveries
    delivery = await deliveries.redeliver(key.account_id, key.id, delivery_id)
    return json_response(DeliveryView.from_record(delivery), 202)


@operation(body=RedeliveryRequest, answers={202: RedeliveryView}, errors=(errors.InvalidWebhook,))
@session_only
async def redeliver_since(request: GatewayRequest, principal: Principal) -> Response:
    """Send the deliveries since a time again, oldest first, at most a thousand per call."""
    key = await _own_key(request, principal)
    body = await read_body(request, RedeliveryRequest)
    redelivery = request.services.store.redelivery
    done = await redelivery.redeliver_since(key.account_id, key.id, body.since, body.status)
    logger.info(
        "deliveries redelivered",
        extra={"account_id": key.account_id, "key_id": key.id, "count": done.count},
    )
    left = done.next_since is not None
    shown = RedeliveryView(redelivered=done.count, more=left, next_since=moment(done.next_since))
    return json_response(shown, 202)


@operation(answers={200: DeliveryView})
@session_only
async def get_delivery(request: GatewayRequest, principal: Principal) -> Response:
    """One delivery of the account by its id."""
    deliveries = request.services.store.deliveries
    delivery = await deliveries.find(principal.account.id, read_delivery_id(request))
    return json_response(DeliveryView.from_record(delivery))


async def _own_key(request: GatewayRequest, principal: Principal) -> ApiKey:
    keys = request.services.store.api_keys
    return await keys.get(request.path_params["key_id"], owner=principal.account.id)


PATH = "/api/api-keys/{key_id}/webhook"
routes = [
    Route(PATH, Resource(GET=get_webhook, PUT=put_webhook, DELETE=delete_webhook)),
    Route(f"{PATH}/test", Resource(POST=send_test_event)),
    Route(f"{PATH}/redeliver", Resource(POST=redeliver_since)),
    Route("/api/deliveries/{delivery_id}", Resource(GET=get_delivery)),
    Route(f"{PATH}/deliveries", Resource(GET=list_deliveries)),
    Route(f"{PATH}/deliveries/{{delivery_id}}/redeliver", Resource(POST=redeliver)),
]
