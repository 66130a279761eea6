"""Usage: what the caller's account has run, and what it cost."""

from starlette.responses import Response
from starlette.routing import Route

from engine.errors import InvalidQuery
from engine.store import ExecutionFilter, Principal
from gateway.endpoints import Resource, any_key, takes
from gateway.query import MAX_OFFSET, Query, cursor_refused
from gateway.services import GatewayRequest
from gateway.wire import json_response, usage_row


@takes("status", "modelId", "workflowSlug", "limit", "offset", "cursor")
@any_key
async def get_usage(request: GatewayRequest, principal: Principal) -> Response:
    """The account's executions and their cost, newest first, a page at a time."""
    query = Query(request.scope)
    limit = query.limit()
    offset = query.integer("offset", default=0, low=0, high=MAX_OFFSET)
    cursor = query.text("cursor")
    if cursor is not None and offset:
        raise InvalidQuery("offset", "'offset' does not go with 'cursor'")
    wanted = ExecutionFilter(
        status=query.status("status"),
        model_id=query.model("modelId"),
        workflow_slug=query.slug("workflowSlug"),
    )
    usage = request.state["services"].store.usage
    with cursor_refused():
        page = await usage.page(
            principal.account.id, wanted, limit=limit, offset=offset, cursor=cursor
        )
    inexact = {} if page.is_exact else {"totalIsExact": False, "nextCursor": page.next_cursor}
    return json_response(
        {
            "rows": [usage_row(row) for row in page.rows],
            "page": page.offset // limit + 1,
            "pageSize": limit,
            "total": page.total,
            **inexact,
        }
    )


routes = [Route("/api/usage", Resource(GET=get_usage))]
