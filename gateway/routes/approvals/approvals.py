"""Approvals: list those that wait for an answer, and answer one."""

from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.access.capabilities import APPROVE
from engine.executions.node_waits import Answerer, AnswererKind
from engine.services.approvals import GivenAnswer
from engine.store import Principal
from gateway.auth.endpoints import in_turns, operation, requires
from gateway.auth.resource import Resource
from gateway.http.query import ShortPageQuery
from gateway.http.request_bodies import read_body
from gateway.http.responses import json_response
from gateway.http.router import NodeRoute
from gateway.runs.places import read_execution_id
from gateway.services import GatewayRequest
from gateway.waits.views import AnswerRequest, AnswerView, ApprovalPage, ApprovalRow
from gateway.waits.waiting_for import url_of


@operation(query=ShortPageQuery, answers={200: ApprovalPage}, errors=(errors.InvalidQuery,))
@in_turns
@requires(APPROVE)
async def list_approvals(request: GatewayRequest, principal: Principal) -> Response:
    """The approvals of the account's executions that wait for an answer, newest first.

    Those of executions that nodes of others began are among them.
    """
    query, services = ShortPageQuery.parse(request.scope), request.services
    found, next_cursor = await services.store.node_waits.list_approvals(
        principal.account.id, limit=query.limit, cursor=query.cursor
    )
    rows = [ApprovalRow.of_wait(each, url_of(request, each)) for each in found]
    return json_response(ApprovalPage(rows, next_cursor))


@operation(
    body=AnswerRequest,
    answers={200: AnswerView},
    errors=(
        *(errors.InvalidInputs, errors.ExecutionNotFound),
        *(errors.ApprovalNotFound, errors.ApprovalAnswered),
    ),
)
@requires(APPROVE)
async def answer_approval(request: GatewayRequest, principal: Principal) -> Response:
    """Approve or refuse the question of a node; its execution goes on at once.

    Of several answers at once one wins, and the others are told of it.
    """
    execution_id, node_id = read_execution_id(request), request.path_params["node_id"]
    approvals = request.services.approvals
    wait = await approvals.find(principal.account.id, execution_id, node_id)
    body = await read_body(request, AnswerRequest)
    given = GivenAnswer(body.decision, body.fields, body.note)
    answer = await approvals.answer(wait, given, _answerer(principal))
    return json_response(AnswerView.of_answer(answer))


def _answerer(principal: Principal) -> Answerer:
    """Return the key or the session of a caller as the answerer."""
    if principal.key is not None:
        return Answerer(AnswererKind.KEY, principal.key.id)
    return Answerer(AnswererKind.SESSION, principal.session.id if principal.session else None)


routes = [
    Route("/api/approvals", Resource(GET=list_approvals)),
    NodeRoute("/api/executions/{execution_id}/approvals/{node_id}", Resource(POST=answer_approval)),
]
