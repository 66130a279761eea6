"""Starts of batches."""

import re
from functools import partial
from typing import Annotated

from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.executions.tags import distinct_tags
from engine.ids.executions import new_execution_id
from engine.ids.idempotency import IdempotencyKey
from engine.ids.slugs import check_slug
from engine.services.batches.start import BatchOrder
from engine.store import NewBatch, Principal
from engine.store.webhooks.owners import batch_owner
from engine.store.webhooks.run_webhooks import RunWebhook
from gateway.auth.endpoints import operation, requires
from gateway.auth.guard import count_call
from gateway.auth.resource import Resource
from gateway.http.json_bodies import run_off_loop
from gateway.http.query import QueryParameters, VersionOrAlias
from gateway.http.rate_limit_headers import WORKFLOW_RUNS
from gateway.http.request_bodies import forget_body, read_json
from gateway.http.types import doc
from gateway.runs.batch_answers import BATCH_ERRORS, StartedBatchView, answer_started, make_answer
from gateway.runs.batch_body import MAX_BYTES, BatchRequest, parse_batch
from gateway.runs.query import IDEMPOTENCY_KEY
from gateway.runs.request import key_webhook_url, read_depth, read_idempotency_key
from gateway.runs.webhooks import find_webhook
from gateway.services import GatewayRequest

PATH = re.compile(r"/api/workflows/[^/]+/batch")


class BatchQuery(QueryParameters):
    """Query of a new batch."""

    version: Annotated[
        VersionOrAlias | None,
        doc("A version that is kept, or an alias, instead of the live one.", 3),
    ] = None


@operation(
    query=BatchQuery,
    headers=(IDEMPOTENCY_KEY,),
    body=BatchRequest,
    answers={202: StartedBatchView},
    errors=(
        *(*BATCH_ERRORS, errors.InvalidQuery, errors.InvalidItems, errors.InvalidIdempotencyKey),
        *(errors.WorkflowNotFound, errors.WorkflowNotRunnable, errors.VersionNotFound),
        *(errors.InvalidWebhook, errors.CapabilityDenied),
        errors.IdempotencyKeyReused,
    ),
)
@requires("workflow:run", named="slug")
async def start_batch(request: GatewayRequest, principal: Principal) -> Response:
    """Run a workflow for each of up to 1,000 items, and answer at once with the batch's id.

    All items are checked first: where one is wrong, or the balance does not cover the estimate of
    all, nothing begins. The call counts once as a run, and so does each item when it begins.
    """
    await count_call(request, WORKFLOW_RUNS)
    slug, query = check_slug(request.path_params["slug"]), BatchQuery.parse(request.scope)
    depth = read_depth(request)
    services, account_id = request.services, principal.account.id
    data = await read_json(request, MAX_BYTES)
    read_key = partial(read_idempotency_key, request, data, query.version)
    idempotency_key = await run_off_loop(len(data), read_key)
    run_steps = partial(services.sliced_work.run, account_id, run_off_loop)
    parsed = await parse_batch(data, run_steps)
    batch_id = new_execution_id()
    new = NewBatch(
        account_id=account_id,
        slug=slug,
        version=0,
        items=(),
        key_id=principal.key_id,
        concurrency=parsed.body.concurrency,
        tags=distinct_tags(parsed.body.tags),
        webhook_url=await key_webhook_url(request, principal),
        webhook=await _find_webhook(request, principal, parsed.body, batch_id, idempotency_key),
        batch_id=batch_id,
        request_id=request.context.request_id,
        trace=request.context.trace_header,
        depth=depth,
        idempotency_key=idempotency_key,
    )
    order = BatchOrder(
        new=new,
        items=parsed.items,
        terms=principal.terms,
        version=query.version,
        make_answer=lambda made, ignored: make_answer(
            made.batch_id, len(made.items), (*parsed.warnings, *ignored)
        ),
    )
    started = await services.batch_start.start(order, run_steps)
    forget_body(request)
    return answer_started(request, started)


async def _find_webhook(
    request: GatewayRequest,
    principal: Principal,
    body: BatchRequest,
    batch_id: str,
    idempotency_key: IdempotencyKey | None,
) -> RunWebhook | None:
    """Return the batch's own webhook, None without one. Raises what `read_webhook` raises."""
    found = await find_webhook(
        request,
        principal,
        body.webhook,
        is_async=False,
        idempotency_key=idempotency_key,
        takes_events=False,
    )
    account_id = principal.account.id
    return None if found is None else await found.seal(request, account_id, batch_owner(batch_id))


routes = [Route("/api/workflows/{slug}/batch", Resource(POST=start_batch))]
