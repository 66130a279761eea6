"""Webhooks of API keys and their deliveries, for the browsers of the accounts that own them."""

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from engine.capabilities import covers
from engine.errors import CapabilityDenied, InvalidBody, InvalidWebhook, NotFound
from engine.store import ApiKey, Principal
from engine.store.deliveries import NO_DELIVERY
from engine.webhooks import CAPABILITY, NO_CAPABILITY, check_secret, check_webhook_url
from gateway.auth import check_capability
from gateway.endpoints import Resource, session_only, takes
from gateway.query import Query, cursor_refused
from gateway.request_bodies import read_object
from gateway.services import GatewayRequest
from gateway.wire import delivery_shape, json_response, webhook_shape

logger = logging.getLogger(__name__)

DELIVERY_ID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")


@session_only
async def get_webhook(request: GatewayRequest, principal: Principal) -> Response:
    """Where the events of the key's executions go; never the secret."""
    key = await _own_key(request, principal)
    webhook = await request.state["services"].store.webhooks.get(key.account_id, key.id)
    return json_response(webhook_shape(webhook))


@session_only
async def put_webhook(request: GatewayRequest, principal: Principal) -> Response:
    """Set where the events go; a secret that was made here is shown this once."""
    services = request.state["services"]
    key = await _own_key(request, principal)
    body = await read_object(request)
    url = check_webhook_url(body.get("url"), allow_private=services.settings.allow_private_urls)
    # Absent: as it is, or made when there is none. Null: a new one is made.
    makes_secret = "secret" in body and body["secret"] is None
    secret = check_secret(body["secret"]) if "secret" in body and not makes_secret else None
    enabled = _read_enabled(body)
    if not covers(key.capabilities, CAPABILITY):
        raise CapabilityDenied(CAPABILITY, NO_CAPABILITY)
    check_capability(replace(principal, key=key), CAPABILITY)
    webhook = await services.store.webhooks.save(
        *(key.account_id, key.id),
        url=url,
        enabled=enabled,
        secret=secret,
        makes_secret=makes_secret,
    )
    logger.info("webhook saved", extra={"account_id": key.account_id, "key_id": key.id})
    return json_response(webhook_shape(webhook))


@session_only
async def delete_webhook(request: GatewayRequest, principal: Principal) -> Response:
    """Delete the webhook; what was not delivered yet fails."""
    key = await _own_key(request, principal)
    await request.state["services"].store.webhooks.delete(key.account_id, key.id)
    logger.info("webhook deleted", extra={"account_id": key.account_id, "key_id": key.id})
    return json_response({"success": True})


@session_only
async def send_test_event(request: GatewayRequest, principal: Principal) -> Response:
    """Send a made-up event soon."""
    key = await _own_key(request, principal)
    store = request.state["services"].store
    webhook = await store.webhooks.get(key.account_id, key.id)
    if not webhook.enabled:
        raise InvalidWebhook("enabled", "The webhook is disabled")
    delivery = await store.deliveries.add_test(key.account_id, key.id, webhook)
    return json_response(delivery_shape(delivery), 202)


@takes("limit", "cursor")
@session_only
async def list_deliveries(request: GatewayRequest, principal: Principal) -> Response:
    """What was sent and what came of it, newest first, a page at a time."""
    query = Query(request.scope)
    limit = query.limit()
    cursor = query.text("cursor")
    key = await _own_key(request, principal)
    with cursor_refused():
        rows, next_cursor = await request.state["services"].store.deliveries.list(
            key.account_id, key.id, limit=limit, after=cursor
        )
    shown = {"rows": [delivery_shape(row) for row in rows], "nextCursor": next_cursor}
    return json_response(shown)


@session_only
async def redeliver(request: GatewayRequest, principal: Principal) -> Response:
    """Send one delivery again soon, to where the webhook leads now."""
    key = await _own_key(request, principal)
    delivery_id: str = request.path_params["delivery_id"]
    if DELIVERY_ID.fullmatch(delivery_id) is None:
        raise NotFound(NO_DELIVERY)
    deliveries = request.state["services"].store.deliveries
    delivery = await deliveries.redeliver(key.account_id, key.id, delivery_id)
    return json_response(delivery_shape(delivery), 202)


async def _own_key(request: GatewayRequest, principal: Principal) -> ApiKey:
    keys = request.state["services"].store.api_keys
    return await keys.get(request.path_params["key_id"], owner=principal.account.id)


def _read_enabled(body: Mapping[str, Any]) -> bool:
    enabled = body.get("enabled", True)
    if not isinstance(enabled, bool):
        raise InvalidBody("'enabled' must be true or false", field="enabled")
    return enabled


WEBHOOK = "/api/api-keys/{key_id}/webhook"
routes = [
    Route(WEBHOOK, Resource(GET=get_webhook, PUT=put_webhook, DELETE=delete_webhook)),
    Route(f"{WEBHOOK}/test", Resource(POST=send_test_event)),
    Route(f"{WEBHOOK}/deliveries", Resource(GET=list_deliveries)),
    Route(f"{WEBHOOK}/deliveries/{{delivery_id}}/redeliver", Resource(POST=redeliver)),
]
