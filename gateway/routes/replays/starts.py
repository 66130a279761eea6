"""Starts of replays."""

from functools import partial

from msgspec import UNSET
from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.ids.slugs import check_slug
from engine.services.replays.selection import MOST_EXECUTIONS
from engine.services.replays.start import ReplayOrder, ReplayStart
from engine.store import NewBatch, Principal
from gateway.auth.endpoints import in_turns, operation, requires
from gateway.auth.resource import Resource
from gateway.http.json_bodies import run_off_loop
from gateway.http.request_bodies import read_body, read_json
from gateway.http.responses import encode_json
from gateway.routes.replays.views import ReplayRequest, StartedReplay
from gateway.runs.batch_answers import answer_started
from gateway.runs.query import IDEMPOTENCY_KEY
from gateway.runs.request import read_depth, read_idempotency_key
from gateway.services import GatewayRequest


@operation(
    headers=(IDEMPOTENCY_KEY,),
    body=ReplayRequest,
    answers={202: StartedReplay},
    errors=(
        *(errors.WorkflowNotFound, errors.NotOwner, errors.DraftNotFound, errors.VersionNotFound),
        *(errors.WorkflowNotRunnable, errors.QuotaExceeded, errors.InsufficientCredits),
        *(errors.ModelTierRequired, errors.ModelNotFound, errors.LoopDetected),
        *(errors.InvalidIdempotencyKey, errors.IdempotencyKeyReused),
    ),
)
@in_turns
@requires("workflow:write", also="workflow:run", named="slug")
async def start_replay(request: GatewayRequest, principal: Principal) -> Response:
    """Run earlier executions of a workflow again on its draft or on a version, and compare them.

    With `recorded`, a node whose type, settings and inputs are those of the earlier run gives the
    recorded outputs, and nothing is called or charged; the row of a node that differs is
    `unmatched`. Replays count in no rate of runs, and run behind callers' runs.
    """
    services, slug = request.services, check_slug(request.path_params["slug"])
    data = await read_json(request)
    key = await run_off_loop(len(data), partial(read_idempotency_key, request, data, None))
    body = await read_body(request, ReplayRequest)
    order = ReplayOrder(
        new=NewBatch(
            account_id=principal.account.id,
            slug=slug,
            version=0,
            items=(),
            key_id=principal.key_id,
            request_id=request.context.request_id,
            trace=request.context.trace_header,
            depth=read_depth(request),
            idempotency_key=key,
        ),
        terms=principal.terms,
        against=body.against,
        calls=body.calls,
        last=MOST_EXECUTIONS if body.last is UNSET else body.last,
        execution_ids=() if body.execution_ids is UNSET else body.execution_ids,
        make_answer=_make_answer,
    )
    start = ReplayStart(store=services.store, checker=services.checker)
    return answer_started(request, await start.start(order))


def _make_answer(new: NewBatch) -> str:
    view = StartedReplay(
        replay_id=new.batch_id,
        executions=len(new.items),
        status="processing",
        poll_url=f"/api/replays/{new.batch_id}",
    )
    return encode_json(view).decode()


routes = [Route("/api/workflows/{slug}/replay", Resource(POST=start_replay))]
