"""The routes that run something."""

from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import Route

from engine.errors import WorkflowNotFound, WorkflowNotRunnable
from engine.slugs import check_slug
from engine.store import Principal
from gateway.endpoints import Resource, requires
from gateway.limits import WORKFLOW_RUNS
from gateway.running import Runnable, run
from gateway.services import GatewayRequest, Services


@dataclass(frozen=True, slots=True)
class SavedWorkflow:
    """A workflow of the caller's own, by its slug."""

    slug: str
    source = "api-workflow"

    async def find(
        self, services: Services, principal: Principal, *, fresh: bool = False
    ) -> Runnable:
        """As `Subject.find`. Raises WorkflowNotFound or WorkflowNotRunnable."""
        workflow, plan = await services.store.workflows.own_plan(
            principal.account.id, self.slug, fresh=fresh
        )
        if workflow.account_id != principal.account.id:
            raise WorkflowNotFound
        if plan is None:
            raise WorkflowNotRunnable(workflow.problems)
        return Runnable(workflow=workflow, plan=plan)


@requires("workflow:run", named="slug", bucket=WORKFLOW_RUNS)
async def run_workflow(request: GatewayRequest, principal: Principal) -> Response:
    """Run a workflow and answer with its result, or at once with where to find it."""
    return await run(request, principal, SavedWorkflow(check_slug(request.path_params["slug"])))


routes = [Route("/api/workflows/{slug}/run", Resource(POST=run_workflow))]
