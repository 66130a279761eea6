"""The page behind a link to an approval."""

import re
from collections.abc import Awaitable, Callable

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from engine.access.approval_links import PATH as PREFIX
from engine.errors import EngineError
from gateway.approvals.page import notice_page
from gateway.approvals.service import show_question, take_answer
from gateway.auth.endpoints import guessed
from gateway.auth.resource import Resource
from gateway.http.errors import error_response
from gateway.services import GatewayRequest

PATH = re.compile(rf"{PREFIX}[^/]+")
TROUBLE = "Nothing is decided yet"


@guessed
async def show_approval(request: GatewayRequest) -> Response:
    """Show the question of an approval, with a form for the answer; nothing is decided."""
    return await _as_page(request, show_question)


@guessed
async def answer_by_link(request: GatewayRequest) -> Response:
    """Answer an approval by the form of its page."""
    return await _as_page(request, take_answer)


async def _as_page(
    request: GatewayRequest, answer: Callable[[GatewayRequest, str], Awaitable[Response]]
) -> Response:
    """Return the answer, or a page that tells people of an error."""
    try:
        return await answer(request, request.path_params["token"])
    except EngineError as error:
        refused = error_response(error)
        page = notice_page(TROUBLE, f"{error.message.rstrip('.')}.", refused.status_code)
        if error.retry_after_seconds is not None:
            page.headers["retry-after"] = str(error.retry_after_seconds)
        return page


routes: list[BaseRoute] = [
    Route(f"{PREFIX}{{token}}", Resource(GET=show_approval, POST=answer_by_link)),
]
