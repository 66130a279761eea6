"""Retries of batches."""

from functools import partial

from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.services.batches.retry import BatchRetry
from engine.store import NewBatch, Principal
from gateway.auth.endpoints import checked_by_handler, operation, requires
from gateway.auth.guard import count_call
from gateway.auth.principal import check_capability
from gateway.auth.resource import Resource
from gateway.http.json_bodies import run_off_loop
from gateway.http.rate_limit_headers import WORKFLOW_RUNS
from gateway.runs.batch_answers import BATCH_ERRORS, StartedBatchView, answer_started, make_answer
from gateway.runs.batch_body import MAX_BYTES
from gateway.runs.request import key_webhook_url, read_depth
from gateway.services import GatewayRequest


@operation(
    answers={202: StartedBatchView},
    errors=(*BATCH_ERRORS, errors.BatchNotFound, errors.BatchNotRetryable),
)
@checked_by_handler
@requires("workflow:run")
async def retry_batch(request: GatewayRequest, principal: Principal) -> Response:
    """Run the failed items of a batch again, in a new batch on the version that it ran.

    Items that never began are among them. Several calls give one batch. The capability is that of
    the run: `workflow:<slug>:run` suffices.
    """
    services, account_id = request.services, principal.account.id
    depth = read_depth(request)
    former = await services.store.batches.get(account_id, request.path_params["batch_id"])
    check_capability(principal, "workflow:run", former.slug)
    await count_call(request, WORKFLOW_RUNS)
    await services.body_memory.reserve(request.context, MAX_BYTES)  # the items as they were sent
    new = NewBatch(
        account_id=account_id,
        slug=former.slug,
        version=former.version,
        items=(),
        key_id=principal.key_id,
        concurrency=former.concurrency,
        tags=former.tags,
        webhook_url=await key_webhook_url(request, principal),
        retry_of=former.id,
        request_id=request.context.request_id,
        trace=request.context.trace_header,
        depth=depth,
    )
    retry = BatchRetry(
        start=services.batch_start,
        former=former,
        terms=principal.terms,
        make_answer=make_answer,
    )
    run_steps = partial(services.sliced_work.run, account_id, run_off_loop)
    return answer_started(request, await retry.begin(new, run_steps))


routes = [Route("/api/batches/{batch_id}/retry", Resource(POST=retry_batch))]
