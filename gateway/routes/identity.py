"""Who the caller is."""

from starlette.responses import Response
from starlette.routing import Route

from engine.store import Principal
from gateway.endpoints import Resource, any_key, session_only
from gateway.services import GatewayRequest
from gateway.wire import credits_shape, json_response, user_shape


@any_key
async def whoami(request: GatewayRequest, principal: Principal) -> Response:
    """The account behind the key or the session."""
    return json_response({"user": user_shape(principal.account)})


@session_only
async def me(request: GatewayRequest, principal: Principal) -> Response:
    """The account that the browser is signed in to, and what it has to spend."""
    wallets = request.state["services"].store.wallets
    wallet = await wallets.read(principal.account.id, principal.terms)
    return json_response({"user": user_shape(principal.account), "credits": credits_shape(wallet)})


routes = [
    Route("/api/whoami", Resource(GET=whoami)),
    Route("/api/me", Resource(GET=me)),
]
