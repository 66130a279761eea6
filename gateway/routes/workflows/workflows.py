"""Workflows: list, read, save and delete them, and describe their inputs."""

from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from msgspec import UNSET, field
from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.graph.document import is_draft
from engine.graph.plan import Plan
from engine.ids.slugs import SLUG, check_slug
from engine.services.runs.inner_plans import estimate_workflow
from engine.services.workflow_tests.save_tests import save_new_tests, save_tests, tests_of
from engine.services.workflows import publish
from engine.services.workflows.copy_workflow import copy_workflow
from engine.services.workflows.drafts import merge_draft
from engine.store import Principal, Workflow
from engine.store.accounts.rate_limits import DRAFTS, SAVES
from engine.store.workflows.list import WorkflowFilter
from engine.values.input_schemas import inputs_schema
from gateway.auth.endpoints import counted_by_handler, guessed, in_turns, operation, requires
from gateway.auth.guard import count_call, identify_visitor
from gateway.auth.redaction import redacted
from gateway.auth.resource import Resource
from gateway.http.entity_tags import IF_MATCH, entity_tag, wanted_versions
from gateway.http.query import QueryParameters, ShortPageQuery, VersionOrAlias
from gateway.http.request_bodies import read_object
from gateway.http.responses import DELETED, Deleted, json_response
from gateway.http.types import doc
from gateway.routes.workflows.copies import CopyView
from gateway.routes.workflows.documents import (
    JSON_SCHEMA,
    SCHEMA_JSON,
    DraftSaved,
    PublicSchema,
    SchemaView,
    WorkflowDocument,
    WorkflowUpdate,
    WorkflowView,
)
from gateway.routes.workflows.rows import WORKFLOW_LIST, WorkflowPageView, make_rows
from gateway.services import GatewayRequest


class WorkflowsQuery(ShortPageQuery):
    """Query of the list of workflows."""

    text: Annotated[
        str | None,
        doc("Only workflows with this text in name, slug or description.", "greet"),
    ] = field(default=None, name="q")
    tag: Annotated[str | None, doc("Only workflows with this tag.", "demo")] = None
    archived: Annotated[
        bool | None,
        doc("Only archived workflows, or only others.", False),
    ] = None


class SchemaQuery(QueryParameters):
    """Query of the schema of a workflow."""

    version: Annotated[
        VersionOrAlias | None,
        doc("A version that is kept, or an alias, instead of the live one.", 3),
    ] = None


class DeletionQuery(QueryParameters):
    """Query of the deletion of a workflow."""

    force: Annotated[
        bool, doc("Delete it though other workflows call it, whose runs fail then.", True)
    ] = False


@operation(
    query=WorkflowsQuery,
    answers={200: (WORKFLOW_LIST, WorkflowPageView)},
    errors=(errors.InvalidQuery,),
)
@in_turns
@requires("workflow:read")
async def list_workflows(request: GatewayRequest, principal: Principal) -> Response:
    """The caller's workflows, and the templates of others.

    With any parameter they come in pages, newest first, else all in one array.
    """
    services = request.services
    workflow_list = services.store.workflow_list
    account_id, query = principal.account.id, WorkflowsQuery.parse(request.scope)
    if not request.query_params:
        own = await workflow_list.own(account_id)
        foreign = await workflow_list.templates_of_others(account_id)
        return json_response(await make_rows(services, principal, [*own, *foreign]))
    wanted = WorkflowFilter(text=query.text, tag=query.tag, archived=query.archived)
    page = await workflow_list.page(account_id, wanted, limit=query.limit, cursor=query.cursor)
    rows = await make_rows(services, principal, page.rows)
    return json_response(WorkflowPageView(rows=rows, next_cursor=page.next_cursor))


@operation(answers={200: WorkflowView}, errors=(errors.WorkflowNotFound,))
@requires("workflow:read")
async def get_workflow(request: GatewayRequest, principal: Principal) -> Response:
    """One whole workflow."""
    workflow = _shown_to(principal, await _load_readable(request, principal))
    view = WorkflowView.from_record(workflow, is_own=_is_own(workflow, principal))
    return json_response(view, headers=entity_tag(workflow.version))


@operation(
    body=WorkflowDocument,
    answers={201: CopyView},
    errors=(
        *(errors.InvalidGraph, errors.QuotaExceeded, errors.WorkflowNotFound),
        *(errors.MediaQuotaExceeded, errors.StorageFailed),
    ),
)
@requires("workflow:write", bucket=SAVES)
async def create_workflow(request: GatewayRequest, principal: Principal) -> Response:
    """Save a new workflow under a slug made from its name.

    With `copyOf` it is a copy of an own workflow or of a template, neither public nor a template.
    The templates that a template of another account calls are copied with it.
    """
    services, account_id = request.services, principal.account.id
    body = await read_object(request)
    if "copyOf" in body:
        original = await _load_original(request, principal, body["copyOf"])
        copy = await copy_workflow(
            *(services.store, services.media_service, account_id, original, body),
            checker=services.checker,
            show=partial(_shown_to, principal),
        )
        view = CopyView.from_copy(copy)
        return json_response(view, 201, entity_tag(copy.workflow.version))
    tests = await tests_of(body, services.store, account_id, services.checker.expressions)
    workflow = await publish.create_workflow(
        services.store, account_id, body, checker=services.checker
    )
    await save_new_tests(services.store, workflow, tests)
    return _answer(workflow, 201)


async def _load_original(request: GatewayRequest, principal: Principal, slug: Any) -> Workflow:
    """Return the workflow to copy as the caller sees it.

    Raises InvalidBody or WorkflowNotFound.
    """
    if not isinstance(slug, str) or not SLUG.fullmatch(slug):
        raise errors.InvalidBody("'copyOf' must be the slug of a workflow", field="copyOf")
    workflows = request.services.store.workflows
    return _shown_to(principal, await workflows.get_readable(principal.account.id, slug))


@operation(
    body=WorkflowUpdate,
    headers=(IF_MATCH,),
    answers={200: (WorkflowView, DraftSaved)},
    errors=(
        errors.InvalidGraph,
        errors.NotOwner,
        errors.WorkflowNotFound,
        errors.VersionConflict,
        errors.QuotaExceeded,
    ),
)
@counted_by_handler
@requires("workflow:write", bucket=SAVES)
async def update_workflow(request: GatewayRequest, principal: Principal) -> Response:
    """Save a new version with the members that the body has.

    A body without nodes and edges makes no version; with `draft: true` it goes into the draft.
    """
    services = request.services
    slug = check_slug(request.path_params["slug"])
    body = await _read_counted(request)
    wanted = wanted_versions(request.headers)
    store, account_id = services.store, principal.account.id
    tests = await tests_of(body, store, account_id, services.checker.expressions)
    if is_draft(body):
        current = await _load_writable(request, principal)
        markup = principal.terms.markup
        saved = await merge_draft(
            store, current, body, wanted, markup=markup, checker=services.checker
        )
        if tests is not None:
            await save_tests(store, account_id, slug, tests, replaces=True)
        return json_response(
            DraftSaved.from_record(saved), headers=entity_tag(saved.draft.revision)
        )
    workflow = await publish.update_workflow(
        store, account_id, slug, body, wanted, checker=services.checker
    )
    if tests is not None:
        await save_tests(store, account_id, slug, tests, replaces=True)
    return _answer(workflow)


async def _read_counted(request: GatewayRequest) -> dict[str, Any]:
    """Read the body, and count the call as a write of a draft or as a save."""
    try:
        body = await read_object(request)
        bucket = DRAFTS if is_draft(body) else SAVES
    except errors.EngineError:
        await count_call(request, SAVES)
        raise
    await count_call(request, bucket)
    return body


@operation(
    query=DeletionQuery,
    answers={200: Deleted},
    errors=(
        *(errors.NotOwner, errors.WorkflowNotFound),
        *(errors.WorkflowInUse, errors.InvalidQuery),
    ),
)
@requires("workflow:write")
async def delete_workflow(request: GatewayRequest, principal: Principal) -> Response:
    """Delete a workflow that no other one calls; executions in flight finish."""
    query = DeletionQuery.parse(request.scope)
    workflow = await _load_writable(request, principal)
    workflows = request.services.store.workflows
    await workflows.delete(principal.account.id, workflow.slug, force=query.force)
    await request.services.store.account_events.record_workflow(principal.account.id, workflow.slug)
    return json_response(DELETED)


@operation(
    answers={200: WorkflowView},
    errors=(errors.NotOwner, errors.WorkflowNotFound, errors.WorkflowNotDeleted),
)
@requires("workflow:write")
async def restore_workflow(request: GatewayRequest, principal: Principal) -> Response:
    """Take a delete back within 30 days."""
    slug = check_slug(request.path_params["slug"])
    workflows = request.services.store.workflows
    await workflows.check_own(principal.account.id, slug)
    restored = await workflows.restore(principal.account.id, slug)
    await request.services.store.account_events.record_workflow(principal.account.id, slug)
    return _answer(restored)


@operation(
    query=SchemaQuery,
    answers={200: (SchemaView, JSON_SCHEMA)},
    errors=(
        *(errors.WorkflowNotFound, errors.WorkflowNotRunnable),
        *(errors.InvalidQuery, errors.VersionNotFound),
    ),
)
@requires("workflow:read")
async def get_schema(request: GatewayRequest, principal: Principal) -> Response:
    """The inputs that a workflow asks for, and the estimate of a run."""
    version = SchemaQuery.parse(request.scope).version
    if version is None:
        found = await _load_readable(request, principal)
    else:
        found = await _load_version(request, principal, version)
    workflow, plan = request.services.store.workflows.compiled(found)
    if plan is None:
        raise errors.WorkflowNotRunnable(workflow.problems)
    document = workflow.document
    shows_values = _is_own(workflow, principal) or document.public_playground
    view = SchemaView.from_record(
        plan,
        name=document.name,
        description=document.description,
        values=plan.values if shows_values else {},
        estimated_credit_cost=await _estimate(request, principal, workflow, plan),
    )
    return _schema_answer(request, plan, view)


@operation(
    answers={200: (PublicSchema, JSON_SCHEMA)},
    errors=(errors.WorkflowNotFound, errors.Unauthorized, errors.Unavailable),
)
@guessed
async def get_public_schema(request: GatewayRequest) -> Response:
    """The inputs that a public workflow asks for, and for accounts the estimate of a run."""
    slug = check_slug(request.path_params["slug"])
    principal = await identify_visitor(request)
    workflows = request.services.store.workflows
    workflow, plan = workflows.compiled(await workflows.get_public(slug))
    if plan is None or not workflow.document.public_playground:
        raise errors.WorkflowNotFound
    document = workflow.document
    cost = UNSET if principal is None else await _estimate(request, principal, workflow, plan)
    view = PublicSchema.from_record(
        plan, name=document.name, description=document.description, estimated_credit_cost=cost
    )
    return _schema_answer(request, plan, view)


async def _load_readable(request: GatewayRequest, principal: Principal) -> Workflow:
    slug = check_slug(request.path_params["slug"])
    return await request.services.store.workflows.get_readable(principal.account.id, slug)


async def _load_version(
    request: GatewayRequest, principal: Principal, version: int | str
) -> Workflow:
    slug = check_slug(request.path_params["slug"])
    workflows = request.services.store.workflows
    try:
        await workflows.check_own(principal.account.id, slug)
    except errors.NotOwner:
        raise errors.VersionNotFound from None  # a template has one version for its readers
    if isinstance(version, str):
        version = (await workflows.get_own(principal.account.id, slug)).version_of(version)
    return await workflows.get_version(principal.account.id, slug, version)


async def _load_writable(request: GatewayRequest, principal: Principal) -> Workflow:
    slug = check_slug(request.path_params["slug"])
    return await request.services.store.workflows.get_own(principal.account.id, slug)


async def _estimate(
    request: GatewayRequest, principal: Principal, workflow: Workflow, plan: Plan
) -> int:
    """Return the estimate of a run by the caller, without inputs."""
    return await estimate_workflow(
        request.services.store, workflow.account_id, plan, principal.terms.markup
    )


def _shown_to(principal: Principal, workflow: Workflow) -> Workflow:
    """Return the workflow as the caller may see it."""
    if _is_own(workflow, principal):
        return workflow
    return replace(workflow, document=redacted(workflow.document))


def _is_own(workflow: Workflow, principal: Principal) -> bool:
    return workflow.account_id == principal.account.id


def _answer(workflow: Workflow, status: int = 200) -> Response:
    return json_response(WorkflowView.from_record(workflow), status, entity_tag(workflow.version))


def _schema_answer(request: GatewayRequest, plan: Plan, view: PublicSchema) -> Response:
    headers = {"vary": "accept, cookie, x-api-key"}
    if SCHEMA_JSON in request.headers.get("accept", ""):
        allow_http = request.services.settings.allow_private_urls
        schema = inputs_schema(
            plan.fields, strict=plan.strict_inputs, allow_http=allow_http, allow_assets=True
        )
        titled = {"title": view.name, **schema}
        return json_response(titled, headers=headers, media_type=SCHEMA_JSON)
    return json_response(view, headers=headers)


routes = [
    Route("/api/workflows", Resource(GET=list_workflows, POST=create_workflow)),
    Route(
        "/api/workflows/{slug}",
        Resource(GET=get_workflow, PUT=update_workflow, DELETE=delete_workflow),
    ),
    Route("/api/workflows/{slug}/restore", Resource(POST=restore_workflow)),
    Route("/api/workflows/{slug}/schema", Resource(GET=get_schema)),
    Route("/api/workflows/{slug}/public-schema", Resource(GET=get_public_schema)),
]
