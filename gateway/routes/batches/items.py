"""Items of a batch, by pages."""

from typing import Annotated

from starlette.responses import Response
from starlette.routing import Route

from engine.errors import BatchNotFound, InvalidQuery
from engine.executions.batches import ItemStatus
from engine.services.batches.item_rows import read_item_rows
from engine.store import Principal
from gateway.auth.endpoints import in_turns, operation, requires
from gateway.auth.resource import Resource
from gateway.http.query import ShortPageQuery
from gateway.http.responses import json_response
from gateway.http.types import doc
from gateway.routes.batches.views import BatchItemPage, BatchItemView
from gateway.services import GatewayRequest


class BatchItemQuery(ShortPageQuery):
    """Query of a page of items."""

    status: Annotated[
        list[ItemStatus] | None, doc("Only items of this status; it may be repeated.", ["failed"])
    ] = None


@operation(query=BatchItemQuery, answers={200: BatchItemPage}, errors=(InvalidQuery, BatchNotFound))
@in_turns
@requires("execution:read")
async def list_batch_items(request: GatewayRequest, principal: Principal) -> Response:
    """The items of a batch by index, with results and errors of their executions, page by page."""
    services, query = request.services, BatchItemQuery.parse(request.scope)
    batch = await services.store.batches.get(principal.account.id, request.path_params["batch_id"])
    rows, next_cursor = await read_item_rows(
        services.store,
        batch,
        query.status or (),
        limit=query.limit,
        cursor=query.cursor,
        reserve=services.result_memory.for_answer(request.context),
    )
    return json_response(
        BatchItemPage([BatchItemView.from_row(each) for each in rows], next_cursor)
    )


routes = [Route("/api/batches/{batch_id}/items", Resource(GET=list_batch_items))]
