"""Usage: what the caller's account has run, and what it cost."""

from starlette.responses import Response
from starlette.routing import Route

from engine.store import Principal, UsageFilter
from gateway.endpoints import Resource, any_key
from gateway.query import MAX_OFFSET, Query
from gateway.services import GatewayRequest
from gateway.wire import json_response, usage_row


@any_key
async def get_usage(request: GatewayRequest, principal: Principal) -> Response:
    """The account's executions and their cost, newest first, a page at a time."""
    query = Query(request.scope)
    limit = query.limit()
    offset = query.integer("offset", default=0, low=0, high=MAX_OFFSET)
    wanted = UsageFilter(
        status=query.status("status"),
        model_id=query.model("modelId"),
        workflow_slug=query.slug("workflowSlug"),
    )
    usage = request.state["services"].store.usage
    page = await usage.page(principal.account.id, wanted, limit=limit, offset=offset)
    return json_response(
        {
            "rows": [usage_row(row) for row in page.rows],
            "page": offset // limit + 1,
            "pageSize": limit,
            "total": page.total,
        }
    )


routes = [Route("/api/usage", Resource(GET=get_usage))]
