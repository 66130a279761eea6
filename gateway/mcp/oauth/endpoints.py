"""Endpoints of OAuth by the library's handlers, on the provider of ours."""

import json
from html import escape
from urllib.parse import urlsplit

from mcp.server.auth.handlers.authorize import AuthorizationHandler
from mcp.server.auth.handlers.register import RegistrationHandler
from mcp.server.auth.handlers.revoke import RevocationHandler
from mcp.server.auth.handlers.token import TokenHandler
from mcp.server.auth.middleware.client_auth import ClientAuthenticator
from mcp.server.auth.settings import ClientRegistrationOptions
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from engine.access.redirect_uris import redirect_with
from gateway.http.pages import page
from gateway.http.request_bodies import JSON, read_json
from gateway.mcp.oauth.addresses import CONNECT, is_own_resource
from gateway.mcp.oauth.descriptions import describe_resource, describe_server
from gateway.mcp.oauth.forms import (
    MAX_BYTES,
    Form,
    FormRefused,
    form_request,
    parse_once,
    read_form,
    request_with,
)
from gateway.mcp.oauth.provider import Provider
from gateway.services import GatewayRequest

NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}
REFUSED = "This connection cannot be made"
WRONG_CREDENTIALS = frozenset({"invalid_client", "invalid_grant", "unauthorized_client"})


async def show_server(request: GatewayRequest) -> Response:
    """Describe the authorization server."""
    response = await describe_server(request.address).handle(Request(request.scope))
    return _stored_if_fixed(request, response)


async def show_resource(request: GatewayRequest) -> Response:
    """Describe the protected resource."""
    response = await describe_resource(request.address).handle(Request(request.scope))
    return _stored_if_fixed(request, response)


def _stored_if_fixed(request: GatewayRequest, response: Response) -> Response:
    """Forbid caches a description that follows the requested host."""
    if not request.services.settings.public_url:
        response.headers["cache-control"] = "no-store"
    return response


async def authorize(request: GatewayRequest) -> Response:
    """Lead a browser to the page on which the owner answers the request of a client."""
    try:
        parse_once(request.url.query)
    except FormRefused as error:
        return _explain(request, str(error), None)
    response = await AuthorizationHandler(Provider(request)).handle(Request(request.scope))
    location = response.headers.get("location")
    if location is None:
        return _explain(request, json.loads(bytes(response.body))["error_description"], None)
    if location.startswith(f"{CONNECT}/"):
        return response
    back = redirect_with(location, {"iss": request.address})
    if _is_browser(request):
        return _explain(request, "The program asked for what cannot be granted.", back)
    response.headers["location"] = back
    return response


def _is_browser(request: GatewayRequest) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _explain(request: GatewayRequest, reason: str, back: str | None) -> Response:
    """Tell the visitor of a wrong request.

    No browser is sent on unasked: anyone may register a client, and a link of this host would lead
    to any other (RFC 9700, 4.11.2).
    """
    if not _is_browser(request):
        content = {"error": "invalid_request", "error_description": reason}
        return JSONResponse(content, 400, NO_STORE)
    body = f"<p>{escape(reason)}</p>"
    if back is None:
        body += "<p>Begin again in the program that sent you here.</p>"
    else:
        parts = urlsplit(back)
        where = parts.hostname if parts.scheme in ("http", "https") else f"{parts.scheme}:"
        link = f'<a href="{escape(back)}" rel="noreferrer">Go back to {escape(where or "")}</a>'
        body += f"<p>{link}</p>"
    return page(REFUSED, body, 400)


async def exchange(request: GatewayRequest) -> Response:
    """Turn a code into an access token."""
    try:
        form = await read_form(request)
    except FormRefused as error:
        return _refuse("invalid_request", str(error))
    resource = form.get("resource")
    if resource is not None and not is_own_resource(request, resource):
        return _refuse("invalid_target", "'resource' must be the address of /mcp here")
    provider = Provider(request)
    handler = TokenHandler(provider, ClientAuthenticator(provider))
    return _counted(request, await handler.handle(form_request(request.scope, form)))


async def revoke(request: GatewayRequest) -> Response:
    """Delete the API key that a client was granted."""
    try:
        form: Form = await read_form(request)
    except FormRefused as error:
        return _refuse("invalid_request", str(error))
    provider = Provider(request)
    handler = RevocationHandler(provider, ClientAuthenticator(provider))
    return _counted(request, await handler.handle(form_request(request.scope, form)))


async def register(request: GatewayRequest) -> Response:
    """Register a client."""
    body = await read_json(request, MAX_BYTES)
    handler = RegistrationHandler(Provider(request), ClientRegistrationOptions(enabled=True))
    response = await handler.handle(request_with(request.scope, body, JSON))
    response.headers.update(NO_STORE)
    return response


def _refuse(error: str, description: str) -> Response:
    return JSONResponse({"error": error, "error_description": description}, 400, NO_STORE)


def _counted(request: GatewayRequest, response: Response) -> Response:
    """Count wrong credentials against the address. Raises TooManyFailedCalls."""
    if response.status_code in (400, 401):
        if json.loads(bytes(response.body))["error"] in WRONG_CREDENTIALS:
            request.services.failed_calls.count(request.scope)
        if response.status_code == 401 and "authorization" in request.headers:
            response.headers["www-authenticate"] = 'Basic realm="Headrace"'
    return response
