"""The route `/mcp` and its guard: key, origin, bounds; the library answers what passes."""

from functools import partial
from typing import Any

from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from engine.errors import (
    EngineError,
    InvalidBody,
    OriginDenied,
    RateLimitExceeded,
    TooManyFailedCalls,
    Unauthorized,
)
from engine.process.extras import install_hint
from engine.store import Principal
from gateway.admission.credentials import KEY_HEADER, header_values, presented_keys
from gateway.auth.cors import ANY, parse_origins
from gateway.auth.guard import KeyReader, PublicHandler, authenticate_request
from gateway.auth.resource import Resource
from gateway.events.event_streams import EVENT_STREAM, wants_stream
from gateway.http import response_headers
from gateway.http.errors import error_response, method_not_allowed, plain_error
from gateway.http.json_bodies import LARGE_BYTES, NO_OBJECT, parse_object, run_off_loop
from gateway.http.protocol import CODES
from gateway.http.rate_limit_headers import WORKFLOW_RUNS
from gateway.http.request_bodies import announced_bytes, read_bytes
from gateway.http.responses import json_response
from gateway.mcp.changes import ToolStream
from gateway.mcp.messages import (
    CALL,
    CANCELLED,
    INITIALIZE,
    KEY,
    LISTEN,
    McpExchange,
    is_legacy,
    is_message,
)
from gateway.mcp.oauth.addresses import RESOURCE, resource_metadata_of
from gateway.mcp.sessions import read_session, sessions_of
from gateway.mcp_host import McpMissing, McpServer
from gateway.services import GatewayRequest

BEARER = "bearer "
INVALID_MESSAGE, NO_JSON = -32600, -32700
"""Codes of JSON-RPC 2.0 for bodies that are no message, and no JSON that is taken here."""
NO_MESSAGE = "The body must be one request, notification or response of JSON-RPC 2.0"
ALLOWED = "GET, POST"
MISSING = (
    f"This gateway serves no MCP, since the library for it is not installed: {install_hint('mcp')}"
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


def _guarded(handler: PublicHandler) -> KeyReader:
    """Declare an endpoint for keys in either header, which pages of other sites may not call."""

    async def guard(request: GatewayRequest) -> Response:
        response_headers.forbid_storing(request.scope)
        check_origin(request)
        take_bearer(request.scope)
        try:
            response = await handler(request)
        except Unauthorized as error:
            request.services.failed_calls.count(request.scope)
            return unauthorized(request, error)
        if not isinstance(response, Response):
            raise TypeError("an answer of MCP is complete")
        return response

    return KeyReader(guard)


@_guarded
async def answer_post(request: GatewayRequest) -> Response:
    """Answer a message of the protocol, once its caller is known."""
    await _check_sender(request)
    data = await read_bytes(request)
    try:
        message = await run_off_loop(len(data), partial(parse_object, data))
        fault = None if is_message(message) else NO_MESSAGE
    except InvalidBody as error:
        message, fault = {}, error.message
    method = message.get("method")
    principal, refusal = await _authenticate(request, method)
    if fault is not None:
        return refuse_message(fault)
    exchange = McpExchange(
        request=request,
        principal=principal,
        message=message,
        session=read_session(request, principal) if is_legacy(request.scope) else "",
        body_bytes=len(data),
        refusal=refusal,
    )
    request.services.account_requests.begin(request.context, principal)
    await _prepare(exchange, method)
    try:
        server = await request.services.mcp.server(request.services.settings)
    except McpMissing:
        return plain_error(501, MISSING, CODES[501])
    request.scope[KEY] = exchange
    return ServedResponse(server, replaying(data, request.receive))


async def _check_sender(request: GatewayRequest) -> None:
    """Raise Unauthorized before the body is read: without a key, and for a large body.

    The message decides how its call is counted, so that most callers are known only after it.
    """
    if len(presented_keys(request.scope)) != 1:
        raise Unauthorized
    services = request.services
    if announced_bytes(request.scope, services.settings.max_body_bytes) >= LARGE_BYTES:
        principal = await authenticate_request(request)
        services.account_requests.begin(request.context, principal)


async def _authenticate(
    request: GatewayRequest, method: Any
) -> tuple[Principal, RateLimitExceeded | None]:
    """Return the caller, and the refusal of a tool call beyond the rate limit of runs."""
    try:
        return await authenticate_request(request, WORKFLOW_RUNS if method == CALL else None), None
    except TooManyFailedCalls:
        raise
    except RateLimitExceeded as error:
        return await authenticate_request(request), error


async def _prepare(exchange: McpExchange, method: Any) -> None:
    """Do the part of a message that the library cannot. Raises TooManyStreams."""
    request, principal = exchange.request, exchange.principal
    if method == LISTEN:
        request.services.open_streams.take_place(request.context, principal)
    elif method == INITIALIZE:
        session = sessions_of(request.services.settings).begin(principal)
        if session:
            response_headers.add(request.scope, mcp_session_id=session)
    elif method == CANCELLED:
        await _cancel(exchange)


async def _cancel(exchange: McpExchange) -> None:
    """Cancel the run of a call that the session's client names; unknown ones are ignored."""
    params = exchange.message.get("params")
    name = exchange.name_call(params.get("requestId") if isinstance(params, dict) else None)
    if name is None:
        return
    store = exchange.request.services.store
    execution_id = await store.tool_calls.find(name)
    if execution_id is None:
        return
    try:
        await store.executions.cancel(name.account_id, execution_id)
    except EngineError as error:
        if error.retry_after_seconds is not None:
            raise  # the store is away: the client may send the notification again


@_guarded
async def answer_get(request: GatewayRequest) -> Response:
    """Answer with the notifications of a session: its list of tools has changed."""
    principal = await authenticate_request(request)
    if not read_session(request, principal):
        return method_not_allowed(ALLOWED)
    if not wants_stream(request):
        return plain_error(406, f"This path answers a GET with {EVENT_STREAM}", "NOT_ACCEPTABLE")
    request.services.account_requests.begin(request.context, principal)
    request.services.open_streams.take_place(request.context, principal)
    stream = ToolStream(request, principal)
    return stream.respond(await stream.read())


@_guarded
async def answer_delete(request: GatewayRequest) -> Response:
    """Refuse to end a session: nothing is kept of one, so that it would go on all the same."""
    read_session(request, await authenticate_request(request))
    return method_not_allowed(ALLOWED)


def refuse_message(sentence: str) -> Response:
    """Return the protocol's answer to a body that is no message."""
    is_json = sentence in (NO_MESSAGE, NO_OBJECT)
    error = {"code": INVALID_MESSAGE if is_json else NO_JSON, "message": sentence}
    return json_response({"jsonrpc": "2.0", "id": None, "error": error}, 400)


def check_origin(request: GatewayRequest) -> None:
    """Raise OriginDenied for an origin that is neither an own one nor listed."""
    services = request.services
    for origin in header_values(request.scope, b"origin"):
        if services.own_origins.include(origin, request.scope):
            continue
        listed = parse_origins(services.settings.cors_origins)
        if ANY not in listed and origin.lower() not in listed:
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
    metadata = resource_metadata_of(request)
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


routes = [Route(RESOURCE, Resource(POST=answer_post, GET=answer_get, DELETE=answer_delete))]
