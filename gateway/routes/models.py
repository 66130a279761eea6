"""Models: what the registry has, and what it costs the caller."""

from starlette.responses import Response
from starlette.routing import Route

from engine.models.registry import all_models
from engine.store import Principal
from gateway.endpoints import Resource, requires
from gateway.services import GatewayRequest
from gateway.wire import json_response, model_shape


@requires("workflow:read", "model:run")
async def list_models(request: GatewayRequest, principal: Principal) -> Response:
    """All models, with their prices after the caller's markup."""
    markup = principal.terms.markup
    return json_response([model_shape(model, markup) for model in all_models()])


routes = [Route("/api/models", Resource(GET=list_models))]
