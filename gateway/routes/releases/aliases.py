"""Aliases of a workflow: list, read, set, delete and promote them."""

from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.errors import InvalidBody
from engine.ids.slugs import check_slug
from engine.releases.aliases import LIVE, is_alias_name
from engine.releases.run_counts import CanaryCounts
from engine.services.releases import aliases
from engine.store import Principal
from engine.store.accounts.rate_limits import SAVES
from engine.values.plain import moment
from gateway.auth.endpoints import operation, requires
from gateway.auth.resource import Resource
from gateway.http.request_bodies import read_object
from gateway.http.responses import DELETED, Deleted, json_response
from gateway.routes.releases.views import (
    AliasChangeView,
    AliasHistory,
    AliasPage,
    AliasRequest,
    AliasView,
    CanaryFigures,
    CanaryOfAlias,
    RunFigures,
)
from gateway.services import GatewayRequest

NAME_RULE = (
    "A name of an alias has 1 to 32 of the characters a-z, 0-9 and '-', and begins with a letter; "
    "'draft' is none"
)
OWNER_ERRORS: tuple[type[errors.EngineError], ...] = (errors.WorkflowNotFound, errors.NotOwner)


@operation(answers={200: AliasPage}, errors=OWNER_ERRORS)
@requires("workflow:read")
async def list_aliases(request: GatewayRequest, principal: Principal) -> Response:
    """List the aliases of a workflow, at most 20 beside `live`."""
    slug = await _own_slug(request, principal)
    workflow = await request.services.store.workflows.get_own(principal.account.id, slug)
    return json_response(AliasPage([AliasView.of(each) for each in aliases.aliases_of(workflow)]))


@operation(answers={200: AliasView}, errors=(*OWNER_ERRORS, errors.AliasNotFound))
@requires("workflow:read")
async def get_alias(request: GatewayRequest, principal: Principal) -> Response:
    """One alias of a workflow."""
    slug = await _own_slug(request, principal)
    found = await aliases.get_alias(
        request.services.store, principal.account.id, slug, _name(request)
    )
    return json_response(AliasView.of(found))


@operation(
    body=AliasRequest,
    answers={200: AliasView},
    errors=(
        *OWNER_ERRORS,
        errors.VersionNotFound,
        errors.QuotaExceeded,
        errors.Unavailable,
    ),
)
@requires("workflow:write", bucket=SAVES)
async def put_alias(request: GatewayRequest, principal: Principal) -> Response:
    """Set the version of an alias and its canary; of `live` the canary alone.

    A body without `canary` ends the canary. One that changes nothing keeps its counts.
    """
    slug, name = await _own_slug(request, principal), _name(request)
    body = AliasRequest.parse(await read_object(request))
    if not is_alias_name(name):
        raise InvalidBody(NAME_RULE, field="name")
    if name != LIVE and body.version is None:
        raise InvalidBody("'version' is missing", field="version")
    set_to = await aliases.set_alias(
        request.services.store,
        principal.account.id,
        slug,
        name,
        version=body.version,
        canary=None if body.canary is None else CanaryOfAlias.read(body.canary),
    )
    return json_response(AliasView.of(set_to))


@operation(
    answers={200: Deleted},
    errors=(*OWNER_ERRORS, errors.AliasNotFound, InvalidBody, errors.Unavailable),
)
@requires("workflow:write", bucket=SAVES)
async def delete_alias(request: GatewayRequest, principal: Principal) -> Response:
    """Delete an alias with its history; `live` stays."""
    slug, name = await _own_slug(request, principal), _name(request)
    if name == LIVE:
        raise InvalidBody("'live' is the published version: it stays", field="name")
    await aliases.delete_alias(request.services.store, principal.account.id, slug, name)
    return json_response(DELETED)


@operation(
    answers={200: AliasView},
    errors=(
        *(*OWNER_ERRORS, errors.AliasNotFound, errors.NoCanary, errors.InvalidGraph),
        *(errors.QuotaExceeded, errors.Unavailable),
    ),
)
@requires("workflow:write", bucket=SAVES)
async def promote_alias(request: GatewayRequest, principal: Principal) -> Response:
    """Make the canary the version of its alias; for `live` it is published under its number."""
    slug = await _own_slug(request, principal)
    services = request.services
    promoted = await aliases.promote_alias(
        services.store, principal.account.id, slug, _name(request), checker=services.checker
    )
    return json_response(AliasView.of(promoted))


@operation(answers={200: AliasHistory}, errors=(*OWNER_ERRORS, errors.AliasNotFound))
@requires("workflow:read")
async def list_alias_changes(request: GatewayRequest, principal: Principal) -> Response:
    """List the newest 200 changes of an alias."""
    slug, name = await _own_slug(request, principal), _name(request)
    store, account_id = request.services.store, principal.account.id
    await aliases.get_alias(store, account_id, slug, name)
    changes = await store.aliases.history(account_id, slug, name)
    return json_response(AliasHistory([AliasChangeView.of(each) for each in changes]))


@operation(
    answers={200: CanaryFigures}, errors=(*OWNER_ERRORS, errors.AliasNotFound, errors.NoCanary)
)
@requires("workflow:read")
async def get_canary(request: GatewayRequest, principal: Principal) -> Response:
    """Runs of the canary of an alias, and of the alias beside it."""
    slug = await _own_slug(request, principal)
    store, account_id = request.services.store, principal.account.id
    alias = await aliases.get_alias(store, account_id, slug, _name(request))
    if alias.canary is None:
        raise errors.NoCanary
    all_counts = CanaryCounts.parse_all(await store.aliases.counts(account_id, slug))
    counts = all_counts.get(alias.canary.id, CanaryCounts())
    sides = RunFigures.of(counts.canary), RunFigures.of(counts.live)
    return json_response(CanaryFigures(*sides, since=moment(alias.updated_at)))


async def _own_slug(request: GatewayRequest, principal: Principal) -> str:
    """Return the slug in the path. Raises WorkflowNotFound or NotOwner where it is another's."""
    slug = check_slug(request.path_params["slug"])
    await request.services.store.workflows.check_own(principal.account.id, slug)
    return slug


def _name(request: GatewayRequest) -> str:
    name: str = request.path_params["alias_name"]
    return name


ALIASES = "/api/workflows/{slug}/aliases"
ALIAS = "/api/workflows/{slug}/aliases/{alias_name}"
routes = [
    Route(ALIASES, Resource(GET=list_aliases)),
    Route(ALIAS, Resource(GET=get_alias, PUT=put_alias, DELETE=delete_alias)),
    Route(f"{ALIAS}/promote", Resource(POST=promote_alias)),
    Route(f"{ALIAS}/history", Resource(GET=list_alias_changes)),
    Route(f"{ALIAS}/canary", Resource(GET=get_canary)),
]
