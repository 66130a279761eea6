"""Routes that run a workflow or a model."""

from collections.abc import Awaitable
from dataclasses import dataclass

from starlette.routing import Route

from engine import errors
from engine.ids.slugs import check_slug
from engine.services.runs.acceptance import Runnable, find_workflow
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
from gateway.runs.registered_model import RegisteredModel
from gateway.runs.service import BROWSER_SOURCE, run
from gateway.runs.types import AcceptedView, EventView, RunRequest, RunResult
from gateway.services import GatewayRequest, Services


@dataclass(frozen=True, slots=True)
class SavedWorkflow:
    """A workflow of the caller's account, by slug."""

    slug: str
    version: int | None = None
    """None: the live one."""
    source, browser_source = "api-workflow", BROWSER_SOURCE

    async def find(
        self, services: Services, principal: Principal, *, fresh: bool = False
    ) -> Runnable:
        """See `RunTarget.find`. Raises WorkflowNotFound, VersionNotFound or WorkflowNotRunnable."""
        account_id = principal.account.id
        return await find_workflow(
            services.store, account_id, self.slug, fresh=fresh, version=self.version
        )


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
def run_workflow(request: GatewayRequest, principal: Principal) -> Awaitable[Answer]:
    """Run a workflow and answer with its result, or at once with where to find it."""
    slug, version = check_slug(request.path_params["slug"]), Query(request.scope).version()
    return run(request, principal, SavedWorkflow(slug, version))


@operation(
    query=(ASYNC, TIMEOUT, MAX_CREDITS_OF_RUN),
    headers=(PREFER, IDEMPOTENCY_KEY),
    body=RunRequest,
    answers={200: (RunResult, EventView), 202: AcceptedView},
    errors=RUN_ERRORS,
)
@requires("model:run", named="internal_name", bucket=MODEL_RUNS)
def run_model(request: GatewayRequest, principal: Principal) -> Awaitable[Answer]:
    """Run a model as if it were a workflow of one node."""
    return run(request, principal, RegisteredModel(request.path_params["internal_name"]))


routes = [
    Route("/api/workflows/{slug}/run", Resource(POST=run_workflow)),
    Route("/api/models/{internal_name}/run", Resource(POST=run_model)),
]
