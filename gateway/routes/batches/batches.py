"""Batches: list, read and cancel one's own."""

from starlette.responses import Response
from starlette.routing import Route

from engine.errors import BatchNotFound, InvalidQuery
from engine.store import Principal
from gateway.auth.endpoints import before_approval, operation, requires
from gateway.auth.resource import Resource
from gateway.http.query import ShortPageQuery
from gateway.http.responses import json_response
from gateway.routes.batches.views import BatchCancelRequested, BatchPageView, BatchView
from gateway.services import GatewayRequest


@operation(query=ShortPageQuery, answers={200: BatchPageView}, errors=(InvalidQuery,))
@requires("execution:read")
async def list_batches(request: GatewayRequest, principal: Principal) -> Response:
    """The caller's batches, newest first, a page at a time."""
    query = ShortPageQuery.parse(request.scope)
    page = await request.services.store.batches.page(
        principal.account.id, query.limit, query.cursor
    )
    rows = [BatchView.from_batch(each) for each in page.batches]
    return json_response(BatchPageView(rows, page.next_cursor))


@operation(answers={200: BatchView}, errors=(BatchNotFound,))
@requires("execution:read")
async def get_batch(request: GatewayRequest, principal: Principal) -> Response:
    """One batch, with the number of its items by status."""
    batch_id = request.path_params["batch_id"]
    batch = await request.services.store.batches.get(principal.account.id, batch_id)
    return json_response(BatchView.from_batch(batch))


@operation(answers={202: BatchCancelRequested}, errors=(BatchNotFound,))
@before_approval  # it stops executions begun before the approval was withdrawn
@requires("execution:cancel")
async def cancel_batch(request: GatewayRequest, principal: Principal) -> Response:
    """Cancel a batch: its queued items never begin, and its running ones are cancelled.

    A batch that is over stays as it is.
    """
    batches, account_id = request.services.store.batches, principal.account.id
    batch = await batches.get(account_id, request.path_params["batch_id"])
    status = batch.status if batch.status.is_over else await batches.cancel(account_id, batch.id)
    return json_response(BatchCancelRequested(batch.id, status.shown.value), 202)


routes = [
    Route("/api/batches", Resource(GET=list_batches)),
    Route("/api/batches/{batch_id}", Resource(GET=get_batch)),
    Route("/api/batches/{batch_id}/cancel", Resource(POST=cancel_batch)),
]
