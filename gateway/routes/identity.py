"""Who the caller is."""

from starlette.responses import Response
from starlette.routing import Route

from engine.store import Principal
from gateway.endpoints import Resource, any_key
from gateway.services import GatewayRequest
from gateway.wire import json_response, user_shape


@any_key
async def whoami(request: GatewayRequest, principal: Principal) -> Response:
    """The account behind the key."""
    return json_response({"user": user_shape(principal.account)})


routes = [Route("/api/whoami", Resource(GET=whoami))]
