"""Tests of a workflow: list, read, save and delete them."""

from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.errors import InvalidBody, WorkflowTestNotFound
from engine.ids.slugs import check_slug
from engine.ids.workflow_test_names import NAME_RULE, is_test_name
from engine.services.workflow_tests.parse_tests import check_expressions, parse_test
from engine.services.workflow_tests.save_tests import save_tests
from engine.store import Principal
from engine.store.accounts.rate_limits import DRAFTS
from engine.values.plain import moment
from gateway.auth.endpoints import in_turns, operation, requires
from gateway.auth.resource import Resource
from gateway.http.request_bodies import read_object
from gateway.http.responses import DELETED, Deleted, json_response
from gateway.routes.workflow_tests.views import (
    DraftVerdictView,
    WorkflowTestList,
    WorkflowTestRequest,
    WorkflowTestView,
)
from gateway.services import GatewayRequest

OWNER_ERRORS = (errors.WorkflowNotFound, errors.NotOwner)


@operation(answers={200: WorkflowTestList}, errors=OWNER_ERRORS)
@in_turns  # 200 tests may have 50 MB
@requires("workflow:read")
async def list_tests(request: GatewayRequest, principal: Principal) -> Response:
    """The tests of a workflow by name, each with the verdict of its newest run."""
    ids = principal.account.id, await _own_slug(request, principal)
    tests = request.services.store.workflow_tests
    found, revision = await tests.read(*ids)
    rows = [WorkflowTestView.from_test(each) for each in found]
    verdict, draft = await tests.draft_verdict(*ids), await tests.draft_revision(*ids)
    if verdict is None:
        return json_response(WorkflowTestList(rows, None))
    view = DraftVerdictView(
        test_run_id=verdict.test_run_id,
        passed=not verdict.failed,
        failed=verdict.failed,
        total=verdict.total,
        is_current=(verdict.draft_revision, verdict.tests_revision) == (draft, revision),
        at=moment(verdict.at),
    )
    return json_response(WorkflowTestList(rows, view))


@operation(answers={200: WorkflowTestView}, errors=(*OWNER_ERRORS, WorkflowTestNotFound))
@requires("workflow:read")
async def get_test(request: GatewayRequest, principal: Principal) -> Response:
    """One test of a workflow."""
    slug = await _own_slug(request, principal)
    name = request.path_params["test_name"]
    saved = await request.services.store.workflow_tests.get(principal.account.id, slug, name)
    return json_response(WorkflowTestView.from_test(saved))


@operation(
    body=WorkflowTestRequest,
    answers={200: WorkflowTestView},
    errors=(*OWNER_ERRORS, errors.QuotaExceeded),
)
@requires("workflow:write", bucket=DRAFTS)
async def put_test(request: GatewayRequest, principal: Principal) -> Response:
    """Save a test of a workflow, of at most 200.

    Its expressions are checked now; its inputs and pinned outputs are checked when it runs.
    """
    slug = await _own_slug(request, principal)
    services, account_id = request.services, principal.account.id
    name = request.path_params["test_name"]
    if not is_test_name(name):
        raise InvalidBody(f"This is no name of a test: {NAME_RULE}")
    test = parse_test(await read_object(request))
    await check_expressions({name: test}, account_id, services.checker.expressions)
    await save_tests(services.store, account_id, slug, {name: test})
    saved = await services.store.workflow_tests.get(account_id, slug, name)
    return json_response(WorkflowTestView.from_test(saved))


@operation(answers={200: Deleted}, errors=(*OWNER_ERRORS, WorkflowTestNotFound))
@requires("workflow:write")
async def delete_test(request: GatewayRequest, principal: Principal) -> Response:
    """Delete a test of a workflow."""
    slug = await _own_slug(request, principal)
    store, account_id = request.services.store, principal.account.id
    await store.workflow_tests.delete(account_id, slug, request.path_params["test_name"])
    await store.account_events.record_workflow(account_id, slug)
    return json_response(DELETED)


async def _own_slug(request: GatewayRequest, principal: Principal) -> str:
    """Return the slug in the path of a living workflow. Raises WorkflowNotFound or NotOwner."""
    slug = check_slug(request.path_params["slug"])
    await request.services.store.workflows.get_own(principal.account.id, slug)
    return slug


routes = [
    Route("/api/workflows/{slug}/tests", Resource(GET=list_tests)),
    Route(
        "/api/workflows/{slug}/tests/{test_name}",
        Resource(GET=get_test, PUT=put_test, DELETE=delete_test),
    ),
]
