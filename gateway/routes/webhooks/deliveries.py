"""Deliveries of an account: to webhooks of its keys, and of its runs and batches."""

from typing import Annotated

from msgspec import Meta
from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.ids.executions import UUID
from engine.store import Principal
from engine.store.webhooks.delivery_reads import NO_DELIVERY
from engine.webhooks.deliveries import DeliveryFilter, DeliveryStatus
from gateway.auth.endpoints import in_turns, operation, requires
from gateway.auth.resource import Resource
from gateway.http.query import PageQuery
from gateway.http.responses import json_response
from gateway.http.types import doc
from gateway.openapi.examples import EXECUTION_ID
from gateway.routes.webhooks.views import DeliveryPage, DeliveryView, read_delivery_id
from gateway.services import GatewayRequest


class AccountDeliveriesQuery(PageQuery):
    """Query of the deliveries of an account."""

    execution_id: Annotated[
        Annotated[str, Meta(pattern=f"^{UUID.pattern}$")] | None,
        doc("Only deliveries about this execution.", EXECUTION_ID),
    ] = None
    status: Annotated[DeliveryStatus | None, doc("Only deliveries with this status.", "failed")] = (
        None
    )


@operation(query=AccountDeliveriesQuery, answers={200: DeliveryPage}, errors=(errors.InvalidQuery,))
@in_turns
@requires("execution:read")
async def list_account_deliveries(request: GatewayRequest, principal: Principal) -> Response:
    """The caller's deliveries and their attempts, newest first, a page at a time.

    A key sees those about executions and batches.
    """
    query = AccountDeliveriesQuery.parse(request.scope)
    wanted = DeliveryFilter(execution_id=query.execution_id, status=query.status)
    rows, next_cursor = await request.services.store.deliveries.page(
        principal.account.id, wanted, limit=query.limit, after=query.cursor
    )
    if principal.key is not None:
        rows = [row for row in rows if row.execution_id or row.batch_id]
    return json_response(DeliveryPage([DeliveryView.from_record(row) for row in rows], next_cursor))


@operation(
    answers={202: DeliveryView}, errors=(errors.InvalidWebhook, errors.DeliveryNotRedeliverable)
)
@requires("webhook:receive")
async def redeliver_delivery(request: GatewayRequest, principal: Principal) -> Response:
    """Send one delivery of the account again soon, to where its webhook leads now."""
    deliveries, account_id = request.services.store.deliveries, principal.account.id
    delivery_id = read_delivery_id(request)
    if principal.key is not None:
        delivery = await deliveries.find(account_id, delivery_id)
        if not (delivery.execution_id or delivery.batch_id):
            raise errors.NotFound(NO_DELIVERY)
    delivery = await deliveries.redeliver(account_id, None, delivery_id)
    return json_response(DeliveryView.from_record(delivery), 202)


routes = [
    Route("/api/deliveries", Resource(GET=list_account_deliveries)),
    Route("/api/deliveries/{delivery_id}/redeliver", Resource(POST=redeliver_delivery)),
]
