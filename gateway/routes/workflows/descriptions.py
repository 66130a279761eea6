"""OpenAPI document of one workflow's run."""

from starlette.responses import Response
from starlette.routing import Route

from engine.errors import WorkflowNotFound, WorkflowNotRunnable
from engine.ids.slugs import check_slug
from engine.store import Principal
from gateway.auth.endpoints import operation, requires
from gateway.auth.resource import Resource
from gateway.http.responses import json_response
from gateway.openapi.document import OpenApiView, endpoint_at
from gateway.openapi.workflow import RUN_PATH, DescribedWorkflow, make_workflow_document
from gateway.services import GatewayRequest


@operation(answers={200: OpenApiView}, errors=(WorkflowNotFound, WorkflowNotRunnable))
@requires("workflow:read")
async def get_workflow_openapi(request: GatewayRequest, principal: Principal) -> Response:
    """A workflow's run as an OpenAPI document, with the inputs that it asks for."""
    services = request.services
    slug = check_slug(request.path_params["slug"])
    readable = await services.store.workflows.get_readable(principal.account.id, slug)
    workflow, plan = services.store.workflows.compiled(readable)
    if plan is None:
        raise WorkflowNotRunnable(workflow.problems)
    is_own = workflow.account_id == principal.account.id
    described = DescribedWorkflow(
        slug=workflow.slug,
        version=workflow.version,
        document=workflow.document,
        plan=plan,
        values=plan.values if is_own or workflow.document.public_playground else {},
        allow_http=services.settings.allow_private_urls,
    )
    server = services.settings.public_url or str(request.base_url)
    run = endpoint_at(request.scope["router"].routes, RUN_PATH, "POST")
    return json_response(make_workflow_document(described, run, server.rstrip("/")))


routes = [Route("/api/workflows/{slug}/openapi.json", Resource(GET=get_workflow_openapi))]
