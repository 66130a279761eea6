"""Published versions of a workflow: list, read and restore them."""

import re
from collections.abc import Sequence
from typing import Annotated

from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.ids.slugs import check_slug
from engine.services.workflows import restore_version as restoring
from engine.store import Principal, Workflow
from engine.store.accounts.rate_limits import SAVES
from gateway.auth.endpoints import operation, requires
from gateway.auth.resource import Resource
from gateway.http.entity_tags import entity_tag
from gateway.http.query import ShortPageQuery
from gateway.http.responses import json_response
from gateway.http.types import Moment, Nested, View, doc
from gateway.openapi.examples import ACCOUNT_ID, CREATED
from gateway.routes.workflows.documents import WorkflowView
from gateway.services import GatewayRequest

NUMBER = re.compile(r"[1-9][0-9]{0,14}")


class WorkflowVersion(Nested):
    """A version of a workflow in a list."""

    version: int
    note: Annotated[str | None, doc("The note that it was published with.")]
    created_at: Moment
    created_by: Annotated[str, doc("The account that saved it.")]
    is_live: Annotated[bool, doc("Whether callers run it.")]
    node_count: int
    is_canary: Annotated[bool, doc("Whether it is the canary of an alias.")]
    aliases: Annotated[Sequence[str], doc("The names of its aliases beside `live`.")]


class WorkflowVersionPage(View):
    """Versions of a workflow, newest first."""

    rows: list[WorkflowVersion]
    next_cursor: str | None


WorkflowVersionPage.examples = (
    WorkflowVersionPage(
        rows=[
            WorkflowVersion(
                version=3,
                note="Greets by first name",
                created_at=CREATED,
                created_by=ACCOUNT_ID,
                is_live=True,
                node_count=3,
                is_canary=False,
                aliases=["stable"],
            )
        ],
        next_cursor=None,
    ),
)


@operation(
    query=ShortPageQuery,
    answers={200: WorkflowVersionPage},
    errors=(errors.InvalidQuery, errors.WorkflowNotFound, errors.NotOwner),
)
@requires("workflow:read")
async def list_versions(request: GatewayRequest, principal: Principal) -> Response:
    """List the versions of a workflow that are kept: the last 50 and those in use."""
    query = ShortPageQuery.parse(request.scope)
    store, account_id = request.services.store, principal.account.id
    workflow = await store.workflows.get_own(account_id, check_slug(request.path_params["slug"]))
    page = await store.versions.page(
        account_id, workflow.slug, limit=query.limit, cursor=query.cursor
    )
    rows = [WorkflowVersion.from_record(each) for each in page.rows]
    return json_response(WorkflowVersionPage(rows=rows, next_cursor=page.next_cursor))


@operation(
    answers={200: WorkflowView},
    errors=(errors.WorkflowNotFound, errors.NotOwner, errors.VersionNotFound),
)
@requires("workflow:read")
async def get_version(request: GatewayRequest, principal: Principal) -> Response:
    """Return the document of one version."""
    slug, version = await _own_version(request, principal)
    workflows = request.services.store.workflows
    return _show(await workflows.get_version(principal.account.id, slug, version))


@operation(
    answers={200: WorkflowView},
    errors=(
        *(errors.WorkflowNotFound, errors.NotOwner, errors.VersionNotFound),
        *(errors.InvalidGraph, errors.QuotaExceeded),
    ),
)
@requires("workflow:write", bucket=SAVES)
async def restore_version(request: GatewayRequest, principal: Principal) -> Response:
    """Publish a version as a new one; it is not refused for breaking callers."""
    slug, version = await _own_version(request, principal)
    services = request.services
    workflow = await restoring.restore_version(
        services.store,
        principal.account.id,
        slug,
        version,
        checker=services.checker,
    )
    return _show(workflow)


async def _own_version(request: GatewayRequest, principal: Principal) -> tuple[str, int]:
    """Return slug and version of the path.

    Raises WorkflowNotFound or NotOwner for a slug of another account, and VersionNotFound for a
    text that is no number.
    """
    slug, number = check_slug(request.path_params["slug"]), request.path_params["version"]
    await request.services.store.workflows.check_own(principal.account.id, slug)
    if not NUMBER.fullmatch(number):
        raise errors.VersionNotFound
    return slug, int(number)


def _show(workflow: Workflow) -> Response:
    return json_response(WorkflowView.from_record(workflow), headers=entity_tag(workflow.version))


routes = [
    Route("/api/workflows/{slug}/versions", Resource(GET=list_versions)),
    Route("/api/workflows/{slug}/versions/{version}", Resource(GET=get_version)),
    Route("/api/workflows/{slug}/versions/{version}/restore", Resource(POST=restore_version)),
]
