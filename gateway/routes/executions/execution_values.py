"""Values of executions: inputs, and inputs, outputs and attempts of each node."""

from typing import Annotated, Any, Literal

from starlette.responses import Response
from starlette.routing import Route

from engine.errors import (
    ExecutionNotFound,
    InvalidQuery,
    NodeNotFound,
    NotFound,
    ResultUnreadable,
)
from engine.services.runs.node_values import NodeValues, read_inputs, read_node
from engine.store import Principal
from gateway.auth.endpoints import operation, requires
from gateway.auth.resource import Resource
from gateway.http.json_bodies import run_off_loop
from gateway.http.query import QueryParameters
from gateway.http.responses import json_response
from gateway.http.router import NodeRoute
from gateway.http.types import Content, doc
from gateway.runs.places import read_execution_id
from gateway.runs.values import NodeValuesView
from gateway.services import GatewayRequest

StepPart = Literal["input", "output"]


class ValueQuery(QueryParameters):
    """Query of one value; without any parameter it is of the inputs of the execution."""

    node: Annotated[str | None, doc("The id of a node of the workflow.", "text")] = None
    input: Annotated[str | None, doc("An input socket of the node.", "prompt-in")] = None
    output: Annotated[str | None, doc("An output socket of the node.", "text-out")] = None
    step: Annotated[int | None, doc("The number of a step of the node, an agent.", 2)] = None
    part: Annotated[StepPart | None, doc("The value of the step.")] = None


ANY_VALUE = Content(component="Value", kind=Any, examples=({"name": "Ada"}, "Hello Ada"))


@operation(
    answers={200: NodeValuesView},
    errors=(ExecutionNotFound, NodeNotFound, ResultUnreadable),
)
@requires("execution:read")
async def get_node(request: GatewayRequest, principal: Principal) -> Response:
    """The inputs, outputs, attempts and steps of one node of an execution, while it runs too."""
    execution_id, node_id = read_execution_id(request), request.path_params["node_id"]
    services = request.services
    found = await _read(request, principal, node_id)

    def build() -> Response:
        view = NodeValuesView.of_node(found, execution_id, node_id, services.media_service)
        return json_response(view)

    return await run_off_loop(found.bytes, build)


@operation(
    query=ValueQuery,
    answers={200: ANY_VALUE},
    errors=(InvalidQuery, ExecutionNotFound, NodeNotFound, ResultUnreadable),
)
@requires("execution:read")
async def get_value(request: GatewayRequest, principal: Principal) -> Response:
    """The whole inputs of an execution, or the whole value at a socket or of a step of a node."""
    query = ValueQuery.parse(request.scope)
    if query == ValueQuery():
        return await _answer_inputs(request, principal)
    found = await _read(request, principal, query.node or "")
    if query.step is not None:
        step_value = _value_of_step(found, query.step, query.part)
        return await run_off_loop(found.bytes, lambda: json_response(step_value))
    if (query.input is None) == (query.output is None):
        raise InvalidQuery("output", "Either 'input' or 'output' must name a socket of the node")
    values = (found.inputs if query.output is None else found.outputs) or {}
    name = query.output if query.output is not None else query.input or ""
    if name not in values:
        raise NotFound("The node has no value at this socket")
    value = values[name]
    return await run_off_loop(found.bytes, lambda: json_response(value))


def _value_of_step(found: NodeValues, number: int, part: str | None) -> Any:
    """Return the input or the output of a step. Raises InvalidQuery or NotFound."""
    if part is None:
        raise InvalidQuery("part", "'part' must be 'input' or 'output' of the step")
    for step in found.steps or ():
        if step.number == number:
            return step.input if part == "input" else step.output
    raise NotFound("The node has no step of this number")


async def _answer_inputs(request: GatewayRequest, principal: Principal) -> Response:
    services = request.services
    reserve = services.result_memory.for_answer(request.context)
    found = await read_inputs(
        services.store, principal.account.id, read_execution_id(request), reserve
    )
    if found.inputs is None:
        raise NotFound("The inputs of this execution are not on record")
    return await run_off_loop(found.bytes, lambda: json_response(found.inputs))


async def _read(request: GatewayRequest, principal: Principal, node_id: str) -> NodeValues:
    services = request.services
    reserve = services.result_memory.for_answer(request.context)
    account_id = principal.account.id
    return await read_node(services.store, account_id, read_execution_id(request), node_id, reserve)


routes = [
    NodeRoute("/api/executions/{execution_id}/nodes/{node_id}", Resource(GET=get_node)),
    Route("/api/executions/{execution_id}/values", Resource(GET=get_value)),
]
