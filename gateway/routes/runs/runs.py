"""Routes that run a workflow or a model."""

from starlette.routing import Route

from engine import errors
from engine.ids.slugs import check_slug
from engine.services.runs.targets import RegisteredModel, SavedWorkflow
from engine.store import Principal
from gateway.auth.endpoints import Resource, operation, requires
from gateway.http.query import Query
from gateway.http.rate_limit_headers import MODEL_RUNS, WORKFLOW_RUNS
from gateway.http.responses import Answer
from gateway.openapi.parameters import (
    ASYNC,
    IDEMPOTENCY_KEY,
    MAX_CREDITS_OF_RUN,
    PREFER,
    TIMEOUT,
    VERSION_OF_RUN,
)
from gateway.runs.errors import RUN_ERRORS
from gateway.runs.request import read_run
from gateway.runs.service import run
from gateway.runs.types import AcceptedView, EventView, RunRequest, RunResult
from gateway.services import GatewayRequest


@operation(
    query=(ASYNC, TIMEOUT, MAX_CREDITS_OF_RUN, VERSION_OF_RUN),
    headers=(PREFER, IDEMPOTENCY_KEY),
    body=RunRequest,
    answers={200: (RunResult, EventView), 202: AcceptedView},
    errors=(
        *(*RUN_ERRORS, errors.WorkflowNotFound, errors.WorkflowNotRunnable),
        errors.VersionNotFound,
    ),
)
@requires("workflow:run", named="slug", bucket=WORKFLOW_RUNS)
async def run_workflow(request: GatewayRequest, principal: Principal) -> Answer:
    """Run a workflow and answer with its result, or at once with where to find it."""
    slug, version = check_slug(request.path_params["slug"]), Query(request.scope).version()
    target = SavedWorkflow(request.services.store, slug, version)
    return await run(request, principal, target, await read_run(request, principal))


@operation(
    query=(ASYNC, TIMEOUT, MAX_CREDITS_OF_RUN),
    headers=(PREFER, IDEMPOTENCY_KEY),
    body=RunRequest,
    answers={200: (RunResult, EventView), 202: AcceptedView},
    errors=RUN_ERRORS,
)
@requires("model:run", named="internal_name", bucket=MODEL_RUNS)
async def run_model(request: GatewayRequest, principal: Principal) -> Answer:
    """Run a model as if it were a workflow of one node."""
    target = RegisteredModel(request.path_params["internal_name"])
    return await run(request, principal, target, await read_run(request, principal))


routes = [
    Route("/api/workflows/{slug}/run", Resource(POST=run_workflow)),
    Route("/api/models/{internal_name}/run", Resource(POST=run_model)),
]
