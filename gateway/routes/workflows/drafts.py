"""Drafts: the document that is being edited, beside the version that callers run."""

from typing import Annotated, Any, Self

from msgspec import Meta
from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.graph.document import parse_document
from engine.ids.slugs import check_slug
from engine.services.releases.aliases import check_schema
from engine.services.workflows import drafts
from engine.store import Draft, Principal
from engine.store.accounts.rate_limits import DRAFTS, SAVES
from engine.values.plain import moment
from gateway.auth.endpoints import NO_BODY, operation, requires
from gateway.auth.resource import Resource
from gateway.http.entity_tags import (
    IF_MATCH_REVISION,
    IF_NONE_MATCH,
    entity_tag,
    is_known,
    wanted_versions,
)
from gateway.http.request_bodies import read_object, read_optional_body
from gateway.http.responses import DELETED, Deleted, json_response
from gateway.http.types import Moment, RequestBody, described_as, doc, refused
from gateway.routes.releases.views import PublishedCanary
from gateway.routes.workflows.documents import (
    ABOUT,
    GRAPH,
    MEMBERS,
    SAVED,
    BasedOn,
    DocumentView,
    DraftSaved,
    Revision,
    WorkflowUpdate,
    WorkflowView,
)
from gateway.services import GatewayRequest

FLAG_RULE = "must be true or false"


class DraftView(DocumentView, kw_only=True):
    """The draft of a workflow."""

    headers = {"ETag": "The revision, in quotes."}

    revision: Revision
    based_on: BasedOn
    saved_at: Moment

    @classmethod
    def from_record(cls, record: Draft, **members: Any) -> Self:
        """Show a draft to its owner."""
        return super().from_record(
            record.document,
            **{name: getattr(record, name) for name in ("slug", "revision", "based_on")},
            saved_at=moment(record.saved_at),
            **members,
        )


MAX_NOTE = 1_000


class PublishRequest(RequestBody):
    """Choices for the publication of a draft."""

    note: Annotated[
        Annotated[str, Meta(max_length=MAX_NOTE)] | None,
        doc("About the version, for its list."),
        refused(f"must be a text of at most {MAX_NOTE} characters"),
    ] = None
    force: Annotated[bool, doc("Publish it though it breaks callers."), refused(FLAG_RULE)] = False
    require_tests: Annotated[
        bool,
        doc("Publish it only if all its tests have passed on this very draft."),
        refused(FLAG_RULE),
    ] = False
    canary: Annotated[
        Any,
        described_as(PublishedCanary | None),
        doc("Publish it as the canary of the live version, which stays; left out: it is live."),
    ] = None


PublishRequest.examples = (
    PublishRequest(note="Greets by first name"),
    PublishRequest(force=True),
    PublishRequest(require_tests=True),
    PublishRequest(canary=PublishedCanary(percent=5, max_error_rate=0.02)),
)
DraftView.examples = (
    DraftView(
        slug="greeting",
        **ABOUT,
        **GRAPH,
        **MEMBERS,
        **SAVED,
    ),
)
OWNER_ERRORS: tuple[type[errors.EngineError], ...] = (errors.WorkflowNotFound, errors.NotOwner)


@operation(
    body=WorkflowUpdate,
    headers=(IF_MATCH_REVISION,),
    answers={200: DraftSaved},
    errors=(*OWNER_ERRORS, errors.RevisionConflict, errors.QuotaExceeded),
)
@requires("workflow:write", bucket=DRAFTS)
async def put_draft(request: GatewayRequest, principal: Principal) -> Response:
    """Write the whole draft; no version is made, and callers go on running the live version.

    A draft whose graph cannot run is saved and its problems are in the answer. What the body leaves
    out is not in the draft; without a `name` it keeps that of the workflow.
    """
    slug = await _own_slug(request, principal)
    services = request.services
    body = await read_object(request)
    if body.get("name") is None:
        workflow = await services.store.workflows.get_own(principal.account.id, slug)
        body["name"] = workflow.document.name
    saved = await drafts.save_draft(
        services.store,
        principal.account.id,
        slug,
        parse_document(body),
        wanted_versions(request.headers),
        markup=principal.terms.markup,
        checker=services.checker,
    )
    return json_response(DraftSaved.from_record(saved), headers=entity_tag(saved.draft.revision))


@operation(
    headers=(IF_NONE_MATCH,),
    answers={200: DraftView, 304: NO_BODY},
    errors=(*OWNER_ERRORS, errors.DraftNotFound),
)
@requires("workflow:read")
async def get_draft(request: GatewayRequest, principal: Principal) -> Response:
    """Return the draft's document."""
    slug = await _own_slug(request, principal)
    draft = await request.services.store.drafts.get(principal.account.id, slug)
    if is_known(draft.revision, request.headers):
        return Response(status_code=304, headers=entity_tag(draft.revision))
    return json_response(DraftView.from_record(draft), headers=entity_tag(draft.revision))


@operation(
    headers=(IF_MATCH_REVISION,),
    answers={200: Deleted},
    errors=(*OWNER_ERRORS, errors.DraftNotFound, errors.RevisionConflict),
)
@requires("workflow:write")
async def discard_draft(request: GatewayRequest, principal: Principal) -> Response:
    """Discard the draft; a workflow that was never published is deleted with it."""
    slug = await _own_slug(request, principal)
    store = request.services.store
    await drafts.discard_draft(store, principal.account.id, slug, wanted_versions(request.headers))
    return json_response(DELETED)


@operation(
    body=PublishRequest,
    headers=(IF_MATCH_REVISION,),
    answers={200: WorkflowView},
    errors=(
        *OWNER_ERRORS,
        errors.DraftNotFound,
        errors.RevisionConflict,
        errors.InvalidGraph,
        errors.BreakingChange,
        errors.WorkflowTestsFailed,
        *(errors.QuotaExceeded, errors.Unavailable),
    ),
)
@requires("workflow:write", bucket=SAVES)
async def publish_draft(request: GatewayRequest, principal: Principal) -> Response:
    """Publish the draft as a new version, which callers then run; the draft is gone.

    With `canary`, the version becomes the canary of `live`, and gets a share of the runs.
    """
    slug = await _own_slug(request, principal)
    services = request.services
    body = await read_optional_body(request, PublishRequest)
    canary = None if body.canary is None else PublishedCanary.read(body.canary)
    if canary is not None:
        check_schema(services.store)
    workflow = await drafts.publish_draft(
        services.store,
        principal.account.id,
        slug,
        note=body.note,
        force=body.force,
        needs_tests=body.require_tests,
        canary=canary,
        expected=wanted_versions(request.headers),
        checker=services.checker,
    )
    # `If-Match` of a save compares the live version, which a canary is not.
    headers = entity_tag(workflow.version) if canary is None else {}
    return json_response(WorkflowView.from_record(workflow), headers=headers)


async def _own_slug(request: GatewayRequest, principal: Principal) -> str:
    """Return the slug in the path. Raises WorkflowNotFound or NotOwner where it is another's."""
    slug = check_slug(request.path_params["slug"])
    await request.services.store.workflows.check_own(principal.account.id, slug)
    return slug


routes = [
    Route(
        "/api/workflows/{slug}/draft",
        Resource(GET=get_draft, PUT=put_draft, DELETE=discard_draft),
    ),
    Route("/api/workflows/{slug}/publish", Resource(POST=publish_draft)),
]
