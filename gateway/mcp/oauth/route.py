"""Routes of OAuth; the library is imported at the first request of one of them."""

import re
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.auth.endpoints import guessed, public
from gateway.auth.resource import Resource
from gateway.http.errors import plain_error
from gateway.http.protocol import CODES
from gateway.mcp.oauth import addresses
from gateway.mcp.route import MISSING
from gateway.mcp_host import import_beside
from gateway.services import GatewayRequest

PATHS = re.compile(r"/oauth/[a-z]+")
ENDPOINTS = "gateway.mcp.oauth.endpoints"


async def _answer(request: GatewayRequest, name: str) -> Response:
    """Return the answer of an endpoint; 501 without the library."""
    try:
        endpoints: Any = await import_beside(ENDPOINTS)
    except ModuleNotFoundError:
        return plain_error(501, MISSING, CODES[501])
    response: Response = await getattr(endpoints, name)(request)
    return response


@public
async def show_server(request: GatewayRequest) -> Response:
    """Description of the authorization server."""
    return await _answer(request, "show_server")


@public
async def show_resource(request: GatewayRequest) -> Response:
    """Description of the resource that access tokens are for."""
    return await _answer(request, "show_resource")


@public
async def authorize(request: GatewayRequest) -> Response:
    """A client's request for a grant, which the owner of an account answers on a page."""
    return await _answer(request, "authorize")


@guessed
async def exchange(request: GatewayRequest) -> Response:
    """An access token for the code of a grant."""
    return await _answer(request, "exchange")


@public
async def register(request: GatewayRequest) -> Response:
    """A new client."""
    return await _answer(request, "register")


@guessed
async def revoke(request: GatewayRequest) -> Response:
    """The end of an access token."""
    return await _answer(request, "revoke")


routes: list[BaseRoute] = [
    Route(addresses.SERVER_METADATA, Resource(GET=show_server)),
    Route(addresses.RESOURCE_METADATA, Resource(GET=show_resource)),
    Route(addresses.RESOURCE_METADATA + addresses.RESOURCE, Resource(GET=show_resource)),
    Route(addresses.AUTHORIZE, Resource(GET=authorize)),
    Route(addresses.EXCHANGE, Resource(POST=exchange)),
    Route(addresses.REGISTER, Resource(POST=register)),
    Route(addresses.REVOKE, Resource(POST=revoke)),
]
