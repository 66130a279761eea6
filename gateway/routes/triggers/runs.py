"""Runs of schedules at a call, beside their due times."""

from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.errors import InvalidTrigger, VersionNotFound, WorkflowNotFound, WorkflowNotRunnable
from engine.services.triggers.trigger_runs import GONE
from engine.store import Principal
from engine.triggers.trigger import TriggerKind
from gateway.auth.endpoints import checked_by_handler, operation, requires
from gateway.auth.resource import Resource
from gateway.http.responses import json_response
from gateway.routes.triggers.views import StartedOccurrenceView
from gateway.runs.batch_answers import BATCH_ERRORS
from gateway.runs.request import read_depth
from gateway.services import GatewayRequest
from gateway.triggers.access import RUN, find_trigger

BY_EVENT = "An inbound webhook runs when an event comes to its URL; a schedule runs at a call too"


@operation(
    answers={202: StartedOccurrenceView},
    errors=(
        *(*BATCH_ERRORS, errors.TriggerNotFound, InvalidTrigger, WorkflowNotRunnable),
        *(errors.InvalidInputs, errors.MaxCreditsExceeded),
    ),
)
@checked_by_handler
@requires(RUN, also="workflow:write")
async def run_trigger(request: GatewayRequest, principal: Principal) -> Response:
    """Start a run of a schedule now, with its inputs, beside its due times.

    It counts as a run, and has an occurrence of its own. A disabled schedule runs too.
    """
    trigger = await find_trigger(request, principal)
    if trigger.kind is not TriggerKind.SCHEDULE:
        raise InvalidTrigger("kind", BY_EVENT)
    depth, services = read_depth(request), request.services
    services.backlog.check()
    try:
        started = await services.scheduled_runs.start_now(principal.account, trigger, depth)
    except (WorkflowNotFound, VersionNotFound):
        raise WorkflowNotRunnable([{"reason": GONE}]) from None
    request.context.execution_id = started.execution_id
    view = StartedOccurrenceView(execution_id=started.execution_id, occurrence_id=started.id)
    return json_response(view, 202)


routes = [Route("/api/triggers/{trigger_id}/run", Resource(POST=run_trigger))]
