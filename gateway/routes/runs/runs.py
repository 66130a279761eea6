"""Routes that run a workflow or a model."""

from msgspec import structs
from starlette.routing import Route

from engine import errors
from engine.ids.slugs import check_slug
from engine.services.runs.targets import RegisteredModel, SavedWorkflow
from engine.services.workflows.later_models import check_model_run
from engine.store import Principal
from gateway.auth.endpoints import operation, requires
from gateway.auth.resource import Resource
from gateway.http.rate_limit_headers import MODEL_RUNS, WORKFLOW_RUNS
from gateway.http.responses import Answer
from gateway.runs.errors import BODY_ERRORS
from gateway.runs.query import IDEMPOTENCY_KEY, PREFER, RunQuery, WorkflowRunQuery
from gateway.runs.request import read_run
from gateway.runs.service import run
from gateway.runs.streams import EventView
from gateway.runs.types import AcceptedView, RunRequest, RunResult
from gateway.services import GatewayRequest


@operation(
    query=WorkflowRunQuery,
    headers=(PREFER, IDEMPOTENCY_KEY),
    body=RunRequest,
    answers={200: (RunResult, EventView), 202: AcceptedView},
    errors=(
        *(*BODY_ERRORS, errors.WorkflowNotFound, errors.WorkflowNotRunnable),
        errors.VersionNotFound,
    ),
)
@requires("workflow:run", named="slug", bucket=WORKFLOW_RUNS)
async def run_workflow(request: GatewayRequest, principal: Principal) -> Answer:
    """Run a workflow and answer with its result, or at once with where to find it."""
    slug = check_slug(request.path_params["slug"])
    query = WorkflowRunQuery.parse(request.scope)
    target = SavedWorkflow(request.services.store, slug, query.version)
    parameters = await read_run(request, principal, query, query.version)
    return await run(request, principal, target, parameters)


@operation(
    query=RunQuery,
    headers=(PREFER, IDEMPOTENCY_KEY),
    body=RunRequest,
    answers={200: (RunResult, EventView), 202: AcceptedView},
    errors=BODY_ERRORS,
)
@requires("model:run", named="internal_name", bucket=MODEL_RUNS)
async def run_model(request: GatewayRequest, principal: Principal) -> Answer:
    """Run a model as if it were a workflow of one node."""
    target = RegisteredModel(request.path_params["internal_name"])
    parameters = await read_run(request, principal, RunQuery.parse(request.scope))
    check_model_run(request.services.store.schema, target.internal_name, parameters.inputs)
    return await run(request, principal, target, structs.replace(parameters, is_of_model=True))


routes = [
    Route("/api/workflows/{slug}/run", Resource(POST=run_workflow)),
    Route("/api/models/{internal_name}/run", Resource(POST=run_model)),
]
