"""The pages for people: one document for all of them, and the files that it loads."""

from collections.abc import Callable, Mapping
from functools import partial

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from engine.access.capabilities import is_model_name
from engine.errors import (
    BatchNotFound,
    EngineError,
    ExecutionNotFound,
    ModelNotFound,
    NotFound,
    ReplayNotFound,
    TriggerNotFound,
    Unauthorized,
)
from engine.ids.api_keys import PREFIX
from engine.ids.executions import is_execution_id
from engine.ids.slugs import check_slug
from engine.ids.triggers import is_trigger_id
from engine.store import Principal
from engine.store.accounts.oauth.grant_requests import is_grant_request
from gateway.admission.credentials import session_token
from gateway.auth.endpoints import guessed, operation, public
from gateway.auth.resource import Resource
from gateway.http.pages import HTML_PAGE, page
from gateway.page_files import TEXTUAL
from gateway.services import GatewayRequest

SESSION_MARK = 'data-session="none"'
"""Attribute of the document that tells its script whether the browser is signed in."""
OPEN = 'data-session="open"'
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
        "img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    # Forms record sounds, after a click and the browser's own question.
    "permissions-policy": "camera=(), geolocation=(), microphone=(self)",
    "referrer-policy": "same-origin",
}
FOREVER = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}
NOT_BUILT = (
    "<p>The pages were not built when Headrace was installed: the packages that building needs "
    "could not be had. <code>make pages</code> tries again. The API works: "
    '<a href="/docs">its description</a>, <a href="/openapi.json">the same for programs</a>.</p>'
    "<p>Whoever runs Headrace signs you in with <code>headrace login-link --account ID</code>.</p>"
)


@guessed
async def show_public_page(request: GatewayRequest) -> Response:
    """A page for everyone: the script shows visitors less."""
    return _show(request, await _visitor(request))


@guessed
async def show_page(request: GatewayRequest) -> Response:
    """A page for accounts; visitors sign in first, and come back."""
    # Nothing else of the address is repeated: it may hold a key by mistake.
    for name, value in request.path_params.items():
        CHECKS[name](value)
    principal = await _visitor(request)
    if principal is None:
        return RedirectResponse(f"/login?next={request.url.path}", 303)
    return _show(request, principal)


@public
async def show_keys(request: GatewayRequest) -> Response:
    """The dashboard's other address."""
    return RedirectResponse("/app/api/keys", 303)


@public
async def get_file(request: GatewayRequest) -> Response:
    """A file of the pages. Its name changes with its content, so caches keep it."""
    file = request.services.pages.files.get(request.path_params["name"])
    if file is None:
        raise NotFound("There is nothing at this path")
    body, encoding = file.choose(request.headers.get("accept-encoding", ""))
    headers = FOREVER if encoding is None else FOREVER | {"content-encoding": encoding}
    charset = "; charset=utf-8" if file.media_type in TEXTUAL else ""
    return Response(body, headers=headers | {"content-type": file.media_type + charset})


def _check(is_valid: Callable[[str], bool], refusal: Callable[[], EngineError], text: str) -> None:
    if not is_valid(text):
        raise refusal()


def _is_model_name(name: str) -> bool:
    return is_model_name(name) and not name.startswith(PREFIX)


def _no_such_request() -> EngineError:
    return NotFound("There is no such request of a client")


CHECKS: Mapping[str, Callable[[str], object]] = {
    "slug": check_slug,
    "execution_id": partial(_check, is_execution_id, ExecutionNotFound),
    # Lists of runs have ids of the same form.
    "batch_id": partial(_check, is_execution_id, BatchNotFound),
    "replay_id": partial(_check, is_execution_id, ReplayNotFound),
    "trigger_id": partial(_check, is_trigger_id, TriggerNotFound),
    "internal_name": partial(_check, _is_model_name, ModelNotFound),
    "grant_request": partial(_check, is_grant_request, _no_such_request),
}
"""Check of each part of the pages' paths, by its name; it raises for a text that is no such id."""


async def _visitor(request: GatewayRequest) -> Principal | None:
    """Return the signed-in caller; None for visitors."""
    services, token = request.services, session_token(request.scope)
    if token is None:
        return None
    try:
        return await services.store.sessions.authorize(token)
    except Unauthorized:
        services.failed_calls.count(request.scope)
        return None


def _show(request: GatewayRequest, principal: Principal | None) -> Response:
    html = request.services.pages.index
    if html is None:
        return page("Headrace", NOT_BUILT)
    if principal is not None:
        html = html.replace(SESSION_MARK, OPEN, 1)
    return Response(html, headers=HEADERS, media_type="text/html")


routes: list[BaseRoute] = [
    Route("/", Resource(GET=operation(answers={200: HTML_PAGE})(show_public_page))),
    Route("/app/playground/{slug}", Resource(GET=show_public_page)),
    Route("/app/editor/{slug}", Resource(GET=show_page)),
    Route("/app/api/keys", Resource(GET=show_page)),
    Route("/app/executions", Resource(GET=show_page)),
    Route("/app/executions/{execution_id}", Resource(GET=show_page)),
    Route("/app/approvals", Resource(GET=show_page)),
    Route("/app/connect/{grant_request}", Resource(GET=show_page)),
    Route("/app/batches", Resource(GET=show_page)),
    Route("/app/batches/{batch_id}", Resource(GET=show_page)),
    Route("/app/replays", Resource(GET=show_page)),
    Route("/app/replays/{replay_id}", Resource(GET=show_page)),
    Route("/app/workflows/{slug}/releases", Resource(GET=show_page)),
    Route("/app/triggers", Resource(GET=show_page)),
    Route("/app/triggers/{trigger_id}", Resource(GET=show_page)),
    Route("/app/usage", Resource(GET=show_page)),
    Route("/app/models", Resource(GET=show_page)),
    Route("/app/models/{internal_name}", Resource(GET=show_page)),
    Route("/app/settings", Resource(GET=show_page)),
    Route("/app/admin", Resource(GET=show_page)),
    Route("/app/settings/api-keys", Resource(GET=show_keys)),
    Route("/static/{name}", Resource(GET=get_file)),
]
