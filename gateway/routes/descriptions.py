"""A workflow described for programs: its run as an OpenAPI document of its own."""

from starlette.responses import Response
from starlette.routing import Route

from engine.errors import WorkflowNotRunnable
from engine.slugs import check_slug
from engine.store import Principal
from gateway.description.workflow import Described, make_workflow_document
from gateway.endpoints import Resource, requires
from gateway.routes.runs import run_workflow
from gateway.services import GatewayRequest
from gateway.wire import json_response


@requires("workflow:read")
async def get_workflow_openapi(request: GatewayRequest, principal: Principal) -> Response:
    """A workflow's run as an OpenAPI document, with the inputs that it asks for."""
    services = request.state["services"]
    slug = check_slug(request.path_params["slug"])
    workflow = await services.store.workflows.get_readable(principal.account.id, slug)
    if workflow.problems:
        raise WorkflowNotRunnable(workflow.problems)
    _, plan = await services.store.workflows.plan_of(
        workflow.account_id, workflow.slug, workflow.version
    )
    is_own = workflow.account_id == principal.account.id
    described = Described(
        slug=workflow.slug,
        version=workflow.version,
        document=workflow.document,
        plan=plan,
        values=plan.values if is_own or workflow.document.public_playground else {},
        allow_http=services.settings.allow_private_urls,
    )
    server = services.settings.public_url or str(request.base_url)
    return json_response(make_workflow_document(described, run_workflow, server.rstrip("/")))


routes = [Route("/api/workflows/{slug}/openapi.json", Resource(GET=get_workflow_openapi))]
