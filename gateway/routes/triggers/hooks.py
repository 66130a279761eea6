"""Inbound webhooks as their owners manage them: another URL."""

from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.errors import InvalidTrigger
from engine.store import Principal
from engine.triggers.trigger import TriggerKind
from gateway.auth.endpoints import checked_by_handler, operation, requires
from gateway.auth.resource import Resource
from gateway.http.responses import json_response
from gateway.routes.triggers.views import TriggerView, base_of
from gateway.services import GatewayRequest
from gateway.triggers.access import RUN, find_trigger

NO_URL = "A schedule has no URL; inbound webhooks have one"


@operation(answers={200: TriggerView}, errors=(errors.TriggerNotFound, InvalidTrigger))
@checked_by_handler
@requires(RUN, also="workflow:write")
async def rotate_trigger(request: GatewayRequest, principal: Principal) -> Response:
    """Give an inbound webhook another URL; the former one is unknown from now on."""
    trigger = await find_trigger(request, principal)
    if trigger.kind is not TriggerKind.WEBHOOK:
        raise InvalidTrigger("kind", NO_URL)
    rotated = await request.services.store.triggers.rotate(trigger, by=principal.account.id)
    return json_response(TriggerView.from_trigger(rotated, base_of(request)))


routes = [Route("/api/triggers/{trigger_id}/rotate", Resource(POST=rotate_trigger))]
