"""Check of a workflow's graph: problems, sockets and estimate, nothing saved."""

from typing import Annotated, Any

from msgspec import UNSET, UnsetType, structs
from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.graph.bodies import walk_nodes
from engine.graph.document import parse_graph_members
from engine.services.workflows.check_workflow import check_workflow
from engine.store import Principal
from engine.store.accounts.rate_limits import CHECKS, NODES_OF_CALL
from gateway.auth.endpoints import before_approval, counted_by_handler, operation, requires
from gateway.auth.guard import count_call
from gateway.auth.resource import Resource
from gateway.http.request_bodies import read_body
from gateway.http.responses import json_response
from gateway.http.types import OBJECT, RequestBody, described_as, doc, refused
from gateway.routes.workflows.documents import GRAPH, EdgeRequest, NodeRequest
from gateway.routes.workflows.views import CheckView
from gateway.services import GatewayRequest


class CheckRequest(RequestBody):
    """A graph to check; `parse_graph_members` reads its nodes and edges."""

    nodes: Annotated[Any, described_as(list[NodeRequest])]
    edges: Annotated[Any, described_as(list[EdgeRequest])]
    inputs: Annotated[
        OBJECT | UnsetType,
        doc("Inputs of the run to estimate; without them, the defaults count."),
        refused("must be an object"),
    ] = UNSET


CheckRequest.examples = (CheckRequest(**GRAPH), CheckRequest(**GRAPH, inputs={"name": "Ada"}))


@operation(body=CheckRequest, answers={200: CheckView})
@counted_by_handler
@before_approval  # it saves nothing
@requires("workflow:read", bucket=CHECKS)
async def check_graph(request: GatewayRequest, principal: Principal) -> Response:
    """Check a graph without saving it.

    A call counts once in the account's window of checks, and once more for every 100 nodes.
    """
    body = await _read_counted(request)
    nodes, edges = parse_graph_members(structs.asdict(body))
    services = request.services
    found = await check_workflow(
        services.store,
        principal.account.id,
        nodes,
        edges,
        markup=principal.terms.markup,
        checker=services.checker,
        inputs=None if body.inputs is UNSET else body.inputs,
    )
    return json_response(CheckView(**found.as_dict()))


async def _read_counted(request: GatewayRequest) -> CheckRequest:
    """Read the body, and count the call by its nodes."""
    try:
        body = await read_body(request, CheckRequest)
    except errors.EngineError:
        await count_call(request, CHECKS)
        raise
    await count_call(request, CHECKS, 1 + _count_nodes(body.nodes) // NODES_OF_CALL)
    return body


def _count_nodes(nodes: object) -> int:
    """Return the number of nodes with those of bodies; other items count too."""
    if not isinstance(nodes, list):
        return 0
    return sum(1 for _ in walk_nodes([node if isinstance(node, dict) else {} for node in nodes]))


routes = [
    # Another method is one of the workflow with the slug "check".
    Route("/api/workflows/check", Resource(POST=check_graph), methods=["POST"]),
]
