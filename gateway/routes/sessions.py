"""Signing browsers in, by a link that works once, and out again."""

from html import escape

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from engine.errors import Unauthorized
from engine.store import Principal
from gateway.auth.browser_sessions import check_origin, is_deliberate_visit, session_cookie
from gateway.auth.endpoints import Resource, before_approval, guessed, operation, session_only
from gateway.http import response_headers
from gateway.http.pages import HEADERS, page
from gateway.http.query import Query
from gateway.http.responses import json_response
from gateway.routes.shared_types import DELETED, Deleted
from gateway.services import GatewayRequest

HOME = "/"
FORM = (
    '<form method="post" action="/login?token={token}"><p>This link works once. '
    "You stay signed in on this browser for 30 days after your last visit.</p>"
    "<p><button autofocus>Sign in</button></p></form>"
)
USED = (
    "<p>It was used already, or it is older than ten minutes.</p><p>Whoever runs this installation "
    "makes a new one with <code>headrace login-link --account ID</code>.</p>"
)


@guessed
async def show_login(request: GatewayRequest) -> Response:
    """Sign in who opened the link on purpose; others get a button, and use nothing up."""
    token = Query(request.scope).text("token") or ""
    if not await request.state["services"].store.sessions.has_login(token):
        return _used(request)
    if is_deliberate_visit(request.scope):
        return await _sign_in(request, token)
    return page("Sign in", FORM.format(token=escape(token)))


@guessed
async def sign_in(request: GatewayRequest) -> Response:
    """Sign in with the button of the page."""
    check_origin(request.scope, request.state["services"].settings.public_url)
    return await _sign_in(request, Query(request.scope).text("token") or "")


@operation(answers={200: Deleted})
@before_approval
@session_only
async def sign_out(request: GatewayRequest, principal: Principal) -> Response:
    """End the session; its cookie is worth nothing from now on."""
    services = request.state["services"]
    if principal.session is not None:
        await services.store.sessions.end(principal.session)
    gone = session_cookie("", request.scope, services.settings.public_url)
    response_headers.note(request.scope, set_cookie=gone)
    return json_response(DELETED)


async def _sign_in(request: GatewayRequest, login: str) -> Response:
    services = request.state["services"]
    try:
        token = await services.store.sessions.redeem(login)
    except Unauthorized:
        return _used(request)
    cookie = session_cookie(token, request.scope, services.settings.public_url)
    return Response(status_code=303, headers={**HEADERS, "location": HOME, "set-cookie": cookie})


def _used(request: GatewayRequest) -> Response:
    request.state["services"].failed_calls.count(request.scope)
    return page("This link does not work any more", USED, 410)


routes: list[BaseRoute] = [
    Route("/login", Resource(GET=show_login, POST=sign_in)),
    Route("/logout", Resource(POST=sign_out)),
]
