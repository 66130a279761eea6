"""The first page: the signed-in account, its balance, and the addresses of its workflows."""

from html import escape

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from engine.errors import Unauthorized
from engine.store import Principal, WorkflowSummary
from gateway.admission.credentials import session_token
from gateway.auth.endpoints import Resource, guessed, operation
from gateway.http.pages import page
from gateway.routes.shared_types import HTML_PAGE
from gateway.services import GatewayRequest

SIGNED_OUT = (
    '<p>This is Headrace. <a href="/docs">What it answers</a> and '
    '<a href="/openapi.json">the same for programs</a>.</p><p>Whoever runs it signs you in with '
    "<code>headrace login-link --account ID</code>.</p>"
)
SIGNED_IN = (
    "<p>{email}, {tier}, {balance} credits left.</p><h2>Your workflows</h2>{workflows}"
    '<p><a href="/docs">What the API answers</a></p>'
)
NONE_YET = "<p>There are none yet. <code>POST /api/workflows</code> saves one.</p>"


@operation(answers={200: HTML_PAGE})
@guessed
async def show_home(request: GatewayRequest) -> Response:
    """The page for whoever looks at it."""
    services, token = request.state["services"], session_token(request.scope)
    if token is None:
        return page("Headrace", SIGNED_OUT)
    try:
        principal = await services.store.sessions.authorize(token)
    except Unauthorized:
        services.failed_calls.count(request.scope)
        return page("Headrace", SIGNED_OUT)
    return page("Headrace", await _own(request, principal))


async def _own(request: GatewayRequest, principal: Principal) -> str:
    store = request.state["services"].store
    account = principal.account
    wallet = await store.wallets.read(account.id, principal.terms)
    rows = [_row(each) for each in await store.workflow_list.own(account.id)]
    return SIGNED_IN.format(
        email=escape(account.email),
        tier=account.tier.value,
        balance=wallet.balance,
        workflows=f"<ul>{''.join(rows)}</ul>" if rows else NONE_YET,
    )


def _row(workflow: WorkflowSummary) -> str:
    name, slug = escape(workflow.name), workflow.slug
    links = f'<a href="/api/workflows/{slug}/openapi.json">description</a>'
    return f"<li>{name}<br><code>POST /api/workflows/{slug}/run</code> {links}</li>"


routes: list[BaseRoute] = [Route("/", Resource(GET=show_home))]
