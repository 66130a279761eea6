"""Retries of failed executions."""

from starlette.routing import Route

from engine import errors
from engine.services.runs.retries import GONE, FailedExecution
from engine.store import Principal
from gateway.auth.endpoints import checked_by_handler, operation, requires
from gateway.auth.guard import count_call
from gateway.auth.resource import Resource
from gateway.http.rate_limit_headers import MODEL_RUNS, WORKFLOW_RUNS
from gateway.http.responses import Answer
from gateway.runs.errors import RUN_ERRORS
from gateway.runs.places import read_execution_id
from gateway.runs.query import IDEMPOTENCY_KEY, RetryQuery
from gateway.runs.request import read_retry
from gateway.runs.retry_access import check_retry
from gateway.runs.service import run
from gateway.runs.types import AcceptedView
from gateway.services import GatewayRequest


@operation(
    query=RetryQuery,
    headers=(IDEMPOTENCY_KEY,),
    answers={202: AcceptedView},
    errors=(
        *(*RUN_ERRORS, errors.ExecutionNotFound, errors.ExecutionNotRetryable),
        errors.RateLimitExceeded,
    ),
)
@checked_by_handler
@requires("workflow:run")
async def retry_execution(request: GatewayRequest, principal: Principal) -> Answer:
    """Run a failed execution again from the nodes that failed, on the version that it ran.

    Nodes that had completed are neither run nor charged again. While there is a retry that was not
    cancelled, the answer leads to that one. The capability is that of the run: for a workflow
    `workflow:<slug>:run` suffices, a draft needs `workflow:write` besides, a model `model:run`.
    """
    store, media_service = request.services.store, request.services.media_service
    execution_id = read_execution_id(request)
    failed = await FailedExecution.read(store, media_service, principal.account.id, execution_id)
    check_retry(principal, failed)
    await count_call(request, WORKFLOW_RUNS if failed.slug else MODEL_RUNS)
    try:
        return await run(request, principal, failed, await read_retry(request, principal))
    except (errors.WorkflowNotFound, errors.VersionNotFound):
        raise errors.ExecutionNotRetryable("failed", GONE) from None


routes = [Route("/api/executions/{execution_id}/retry", Resource(POST=retry_execution))]
