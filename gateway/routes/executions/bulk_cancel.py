"""Cancellation of many executions at once."""

from typing import Annotated

from starlette.responses import Response
from starlette.routing import Route

from engine.services.runs.bulk_cancel import MOST_CANCELLED, cancel_matching
from engine.store import Principal
from gateway.auth.endpoints import before_approval, operation, requires
from gateway.auth.resource import Resource
from gateway.http.request_bodies import read_body
from gateway.http.responses import json_response
from gateway.http.types import View, doc
from gateway.runs.query import FilterBody
from gateway.services import GatewayRequest

CancelRequest = FilterBody.of_all_filters("CancelRequest")


class CancelledExecutions(View):
    """Executions whose cancellation was requested."""

    cancelled: Annotated[int, doc(f"Their number, at most {MOST_CANCELLED:,}.")]
    more: Annotated[bool, doc("Whether executions are left that the filters fit.")]


CancelRequest.examples = (
    CancelRequest.parse({"workflowSlug": "greeting"}),
    CancelRequest.parse({"source": "api-workflow", "keyId": "key_0123456789abcdef01234567"}),
)
CancelledExecutions.examples = (CancelledExecutions(cancelled=12, more=False),)


@operation(body=CancelRequest, answers={202: CancelledExecutions})
@before_approval  # it stops executions begun before the approval was withdrawn
@requires("execution:cancel")
async def cancel_executions(request: GatewayRequest, principal: Principal) -> Response:
    """Ask for the running executions that fit the filters to stop, at most 1,000 at once."""
    body = await read_body(request, CancelRequest)
    store, account_id = request.services.store, principal.account.id
    async with request.services.long_calls.slot(account_id):  # not while the body comes
        found = await cancel_matching(store.executions, account_id, body.read_filter())
    return json_response(CancelledExecutions(cancelled=found.cancelled, more=found.is_more), 202)


routes = [Route("/api/executions/cancel", Resource(POST=cancel_executions))]
