"""Sessions of browsers: sign-in by a link that works once, sign-out, and the list of sessions."""

from html import escape
from typing import Annotated, Any, Self
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from engine.errors import InvalidQuery, Unauthorized
from engine.store import Principal, SessionRecord
from gateway.admission.credentials import header_values, session_token
from gateway.auth.browser_sessions import (
    check_origin,
    is_deliberate_visit,
    own_path,
    session_cookie,
)
from gateway.auth.endpoints import before_approval, guessed, operation, session_only
from gateway.auth.resource import Resource
from gateway.http import response_headers
from gateway.http.pages import HEADERS, page
from gateway.http.query import QueryParameters, ShortPageQuery
from gateway.http.responses import DELETED, Deleted, json_response
from gateway.http.types import Moment, Nested, View, doc
from gateway.openapi.examples import CREATED, ENDED
from gateway.services import GatewayRequest

HOME = "/"
FORM = (
    '<form method="post" action="{action}"><p>This link works once. '
    "You stay signed in on this browser for 30 days after your last visit.</p>"
    "<p><button autofocus>Sign in</button></p></form>"
)
LINK_NEEDED = (
    "<p>Open the link that you were given. Whoever runs this installation makes one with "
    "<code>headrace login-link --account ID</code>.</p>"
)
AGAIN = "<p>After the sign-in in this browser, load this page again to go on.</p>"
USED = (
    "<p>It was used already, or it is older than ten minutes.</p><p>Whoever runs this installation "
    "makes a new one with <code>headrace login-link --account ID</code>.</p>"
)


class LoginQuery(QueryParameters):
    """Query of the sign-in."""

    token: str | None = None
    next: str = ""
    """Path to show after the sign-in."""


class SessionView(Nested):
    """A browser that is signed in."""

    id: str
    created_at: Moment
    last_used_at: Moment
    user_agent: Annotated[str | None, doc("Of the sign-in, its first 256 characters.")]
    address: Annotated[str | None, doc("Of the sign-in; the network of an IPv6 address.")]
    current: Annotated[bool, doc("Whether it is the session of this request.")]

    @classmethod
    def from_record(cls, record: SessionRecord, **members: Any) -> Self:
        """Build the row of a session for the session whose id is `asking`."""
        asking = members.pop("asking")
        return super().from_record(record, current=record.id == asking, **members)


class SessionPage(View):
    """A page of sessions."""

    rows: list[SessionView]
    next_cursor: str | None


SessionPage.examples = (
    SessionPage(
        rows=[
            SessionView(
                id="ses_5f0c8a2e4b7d91360c2f8e1a7b9d3c54",
                created_at=CREATED,
                last_used_at=ENDED,
                user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Firefox/145.0",
                address="192.0.2.7",
                current=True,
            )
        ],
        next_cursor=None,
    ),
)


@guessed
async def show_login(request: GatewayRequest) -> Response:
    """Sign a deliberate visitor in; any other gets a button, and the link stays unused."""
    token = LoginQuery.parse(request.scope).token
    if token is None:
        return await _without_link(request)
    if not await request.services.store.sessions.has_login(token):
        return _used(request)
    if is_deliberate_visit(request.scope):
        return await _sign_in(request, token)
    target = _target(request)
    query = {"token": token} | ({} if target == HOME else {"next": target})
    return page("Sign in", FORM.format(action=escape(f"/login?{urlencode(query)}")))


@guessed
async def sign_in(request: GatewayRequest) -> Response:
    """Sign in with the button of the page."""
    check_origin(request.scope, request.services.own_origins)
    return await _sign_in(request, LoginQuery.parse(request.scope).token or "")


@operation(answers={200: Deleted})
@before_approval
@session_only
async def sign_out(request: GatewayRequest, principal: Principal) -> Response:
    """End the session; its cookie is worth nothing from now on."""
    services = request.services
    if principal.session is not None:
        await services.store.sessions.end(principal.session)
    gone = session_cookie("", request.scope, services.own_origins)
    response_headers.add(request.scope, set_cookie=gone)
    return json_response(DELETED)


@operation(query=ShortPageQuery, answers={200: SessionPage}, errors=(InvalidQuery,))
@session_only
async def list_sessions(request: GatewayRequest, principal: Principal) -> Response:
    """The browsers that are signed in to the account, newest first, a page at a time."""
    query = ShortPageQuery.parse(request.scope)
    rows, next_cursor = await request.services.store.session_list.page(
        principal.account.id, limit=query.limit, after=query.cursor
    )
    asking = principal.session.id if principal.session is not None else ""
    shown = [SessionView.from_record(each, asking=asking) for each in rows]
    return json_response(SessionPage(rows=shown, next_cursor=next_cursor))


@operation(answers={200: Deleted})
@before_approval
@session_only
async def end_session(request: GatewayRequest, principal: Principal) -> Response:
    """Sign a browser of the account out; its very next request is refused."""
    session_id: str = request.path_params["session_id"]
    sessions = request.services.store.session_list
    await sessions.end(session_id, principal.account.id)
    return json_response(DELETED)


def _target(request: GatewayRequest) -> str:
    """Return the path to show after the sign-in."""
    return own_path(LoginQuery.parse(request.scope).next) or HOME


async def _without_link(request: GatewayRequest) -> Response:
    """Lead a browser that is signed in on; tell others how to sign in."""
    token = session_token(request.scope)
    if token is not None:
        try:
            await request.services.store.sessions.authorize(token)
        except Unauthorized:
            request.services.failed_calls.count(request.scope)
        else:
            return RedirectResponse(_target(request), 303, headers=HEADERS)
    return page("Sign in", LINK_NEEDED + ("" if _target(request) == HOME else AGAIN))


async def _sign_in(request: GatewayRequest, login: str) -> Response:
    services = request.services
    agents = header_values(request.scope, b"user-agent")
    try:
        token = await services.store.sessions.redeem(
            login,
            user_agent=agents[0] if agents else "",
            address=services.peers.address(request.scope),
        )
    except Unauthorized:
        return _used(request)
    cookie = session_cookie(token, request.scope, services.own_origins)
    headers = {**HEADERS, "location": _target(request), "set-cookie": cookie}
    return Response(status_code=303, headers=headers)


def _used(request: GatewayRequest) -> Response:
    request.services.failed_calls.count(request.scope)
    return page("This link does not work any more", USED, 410)


routes: list[BaseRoute] = [
    Route("/login", Resource(GET=show_login, POST=sign_in)),
    Route("/logout", Resource(POST=sign_out)),
    Route("/api/sessions", Resource(GET=list_sessions)),
    Route("/api/sessions/{session_id}", Resource(DELETE=end_session)),
]
