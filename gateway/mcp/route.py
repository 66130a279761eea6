"""The route `/mcp` and its guard: key, origin, bounds; the library answers what passes."""

from functools import partial
from typing import Any

from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from engine.errors import (
    InvalidBody,
    OriginDenied,
    RateLimitExceeded,
    TooManyFailedCalls,
    Unauthorized,
)
from engine.store import Principal
from gateway.admission.credentials import KEY_HEADER, header_values
from gateway.auth.cors import ANY, parse_origins
from gateway.auth.guard import KeyReader, authenticate_request
from gateway.auth.resource import Resource
from gateway.http import response_headers
from gateway.http.errors import error_response, plain_error
from gateway.http.json_bodies import parse_object, run_off_loop
from gateway.http.protocol import CODES
from gateway.http.rate_limit_headers import WORKFLOW_RUNS
from gateway.http.request_bodies import read_bytes
from gateway.mcp.messages import CALL, KEY, McpExchange
from gateway.mcp_host import McpMissing, McpServer
from gateway.services import GatewayRequest

PATH = "/mcp"
METADATA_PATH = "/.well-known/oauth-protected-resource"
BEARER = "bearer "
MISSING = (
    "This gateway serves no MCP, since the library for it is not installed: "
    "pip install 'headrace[mcp]'"
)


class ServedResponse(Response):
    """An answer that the library's server gives."""

    def __init__(self, server: McpServer, receive: Receive) -> None:
        super().__init__()
        self._server = server
        self._receive = receive

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the server answer."""
        await self._server.handle_request(scope, self._receive, send)


async def answer_post(request: GatewayRequest) -> Response:
    """Answer a message of the protocol, once its caller is known."""
    response_headers.forbid_storing(request.scope)
    check_origin(request)
    take_bearer(request.scope)
    data = await read_bytes(request)
    try:
        message = await run_off_loop(len(data), partial(parse_object, data))
    except InvalidBody:
        message = {}  # the library words the refusal
    try:
        principal, refusal = await _authenticate(request, message)
    except Unauthorized as error:
        return unauthorized(request, error)
    request.services.account_requests.begin(request.context, principal)
    try:
        server = await request.services.mcp.server(request.services.settings)
    except McpMissing:
        return plain_error(501, MISSING, CODES[501])
    request.scope[KEY] = McpExchange(
        request=request,
        principal=principal,
        message=message,
        body_bytes=len(data),
        refusal=refusal,
    )
    return ServedResponse(server, replaying(data, request.receive))


async def _authenticate(
    request: GatewayRequest, message: dict[str, Any]
) -> tuple[Principal, RateLimitExceeded | None]:
    """Return the caller, and the refusal of a tool call beyond the rate limit of runs."""
    bucket = WORKFLOW_RUNS if message.get("method") == CALL else None
    try:
        return await authenticate_request(request, bucket), None
    except TooManyFailedCalls:
        raise
    except RateLimitExceeded as error:
        return await authenticate_request(request), error


def check_origin(request: GatewayRequest) -> None:
    """Raise OriginDenied for an origin that is neither an own one nor listed."""
    services = request.services
    listed = parse_origins(services.settings.cors_origins)
    for origin in header_values(request.scope, b"origin"):
        if services.own_origins.include(origin, request.scope) or ANY in listed:
            continue
        if origin.lower() not in listed:
            raise OriginDenied


def take_bearer(scope: Scope) -> None:
    """Turn a bearer token into a key, and forget cookies: sessions are for the pages.

    White space at the end of a value is none of it (RFC 9110); the parser leaves it there, and the
    library compares values of headers with the body.
    """
    headers = []
    for name, value in ((name, value.strip()) for name, value in scope["headers"]):
        if name == b"authorization" and value[: len(BEARER)].lower() == BEARER.encode():
            headers.append((KEY_HEADER, value[len(BEARER) :].lstrip()))
        elif name != b"cookie":
            headers.append((name, value))
    scope["headers"] = headers


def unauthorized(request: GatewayRequest, error: Unauthorized) -> Response:
    """Return the 401, which tells clients of people where to ask for a token."""
    response = error_response(error)
    metadata = f"{request.address}{METADATA_PATH}"
    response.headers["www-authenticate"] = f'Bearer resource_metadata="{metadata}"'
    return response


def replaying(data: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a body that was read, and then what follows."""
    pending = [data]

    async def replay() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return await receive()

    return replay


routes = [Route(PATH, Resource(POST=KeyReader(answer_post)))]
