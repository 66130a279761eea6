"""Requests of OAuth clients for a grant, for the page on which the owner answers them."""

import asyncio
import logging
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from engine import errors
from engine.access.capabilities import MAX_CAPABILITIES, check_ceiling
from engine.access.redirect_uris import redirect_with
from engine.ids.slugs import check_slug
from engine.store import Principal, Store
from engine.store.accounts.oauth.records import GrantCode, GrantRequest
from engine.values.plain import moment
from gateway.auth.endpoints import before_approval, operation, session_only
from gateway.auth.principal import check_approved
from gateway.auth.resource import Resource
from gateway.http.request_bodies import read_body
from gateway.http.responses import json_response
from gateway.http.types import EXAMPLE_TIME, Moment, RequestBody, View, doc, refused
from gateway.services import GatewayRequest

logger = logging.getLogger(__name__)

UNKNOWN = (
    "This request was answered already, or it is older than ten minutes: begin again in the "
    "program that sent you here"
)
ALL = "workflow:run"
CHOSEN = f"must be null, for all workflows, or a list of 1 to {MAX_CAPABILITIES} slugs"
PARAMETERS = (
    (
        "grant_request",
        {
            "type": "string",
            "description": "Token of the request, from the address of its page.",
            "examples": ["hr_grant_" + "0" * 43 + "_000000"],
        },
    ),
)


class GrantRequestView(View):
    """A client's request for a grant."""

    client_name: Annotated[str, doc("As the client calls itself: nobody has checked it.")]
    redirect_uri: Annotated[str, doc("Address that the browser is sent to with the answer.")]
    expires_at: Moment


class GrantAnswer(RequestBody):
    """The owner's answer to a request."""

    granted: Annotated[bool, refused("must be true or false")]
    workflows: Annotated[
        Annotated[list[str], Meta(min_length=1, max_length=MAX_CAPABILITIES)] | None | UnsetType,
        doc("Slugs of the workflows that the client may run; null: all, also later ones."),
        refused(CHOSEN),
    ] = UNSET

    def __post_init__(self) -> None:
        """Raise InvalidBody for a grant without a choice."""
        if self.granted and self.workflows is UNSET:
            raise errors.InvalidBody(f"'workflows' {CHOSEN}", field="workflows")


class AnsweredRequest(View):
    """The address that the browser goes on to."""

    redirect_to: str


GrantRequestView.examples = (
    GrantRequestView(
        client_name="Claude",
        redirect_uri="https://claude.ai/api/mcp/auth_callback",
        expires_at=EXAMPLE_TIME,
    ),
)
GrantAnswer.examples = (
    GrantAnswer(granted=True, workflows=["greeting"]),
    GrantAnswer(granted=False),
)
AnsweredRequest.examples = (
    AnsweredRequest(redirect_to="https://claude.ai/api/mcp/auth_callback?code=hr_code_…"),
)


@operation(
    path=PARAMETERS,
    answers={200: GrantRequestView},
    errors=(errors.NotFound, errors.ApiKeyAccessDenied),
)
@session_only
async def show_grant_request(request: GatewayRequest, principal: Principal) -> Response:
    """The request of a client, before the owner answers it."""
    check_ceiling((), principal.terms.tier, principal.terms.ceiling)
    found = await request.services.store.grant_requests.find(_token(request))
    if found is None:
        raise errors.NotFound(UNKNOWN)
    record, ends = found
    return json_response(GrantRequestView.from_record(record, expires_at=moment(ends)))


@operation(
    path=PARAMETERS,
    body=GrantAnswer,
    answers={200: AnsweredRequest},
    errors=(errors.NotFound, errors.AccountNotApproved, errors.ApiKeyAccessDenied),
)
@before_approval
@session_only
async def answer_grant_request(request: GatewayRequest, principal: Principal) -> Response:
    """Grant the client an API key for workflows, or refuse it; the first answer counts."""
    store, token = request.services.store, _token(request)
    answer = await read_body(request, GrantAnswer)
    found = await store.grant_requests.find(token)
    if found is None:
        raise errors.NotFound(UNKNOWN)
    capabilities = await _capabilities(store, principal, answer) if answer.granted else ()
    client_id = found[0].client_id
    taken = await store.grant_requests.answer(token, granted_to=client_id if capabilities else None)
    if taken is None:
        raise errors.NotFound(UNKNOWN)
    members: dict[str, str | None]
    if capabilities:
        code = await store.grant_codes.issue(_grant(taken, principal.account.id, capabilities))
        members = {"code": code}
    else:
        members = {"error": "access_denied", "error_description": "The owner refused"}
    members |= {"state": taken.state, "iss": taken.issuer}
    facts = {"account_id": principal.account.id, "client_id": client_id}
    logger.info("OAuth client granted" if capabilities else "OAuth client refused", extra=facts)
    return json_response(AnsweredRequest(redirect_to=redirect_with(taken.redirect_uri, members)))


def _token(request: GatewayRequest) -> str:
    token: str = request.path_params["grant_request"]
    return token


async def _capabilities(store: Store, principal: Principal, answer: GrantAnswer) -> tuple[str, ...]:
    """Return the capabilities of a grant, which the account may give.

    Raises AccountNotApproved, ApiKeyAccessDenied, CapabilityAboveCeiling or InvalidBody.
    """
    check_approved(principal)
    if answer.workflows is None or answer.workflows is UNSET:
        capabilities: tuple[str, ...] = (ALL,)
    else:
        slugs = sorted(set(answer.workflows))
        await asyncio.gather(*(_check_own(store, principal.account.id, slug) for slug in slugs))
        capabilities = tuple(f"workflow:{slug}:run" for slug in slugs)
    check_ceiling(capabilities, principal.terms.tier, principal.terms.ceiling)
    return capabilities


async def _check_own(store: Store, account_id: str, slug: str) -> None:
    try:
        check_slug(slug)
        await store.workflows.check_own(account_id, slug)
    except (errors.InvalidSlug, errors.WorkflowNotFound, errors.NotOwner):
        message = f"'workflows': you have no workflow '{slug[:64]}'"
        raise errors.InvalidBody(message, field="workflows") from None


def _grant(taken: GrantRequest, account_id: str, capabilities: tuple[str, ...]) -> GrantCode:
    return GrantCode(
        account_id=account_id,
        capabilities=capabilities,
        client_id=taken.client_id,
        client_name=taken.client_name,
        redirect_uri=taken.redirect_uri,
        is_redirect_explicit=taken.is_redirect_explicit,
        challenge=taken.challenge,
        resource=taken.resource,
    )


routes: list[BaseRoute] = [
    Route(
        "/api/grant-requests/{grant_request}",
        Resource(GET=show_grant_request, POST=answer_grant_request),
    ),
]
