"""List of the tools of a server, which an editor makes sockets of."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from starlette.routing import Route

from engine import errors
from engine.executions.statuses import ExecutionStatus
from engine.services.runs.agents.server_tools import ServerToolsRun
from engine.store import Principal
from gateway.auth.endpoints import operation, requires
from gateway.auth.resource import Resource
from gateway.http.rate_limit_headers import WORKFLOW_RUNS
from gateway.http.request_bodies import read_body
from gateway.http.responses import Answer, json_response
from gateway.http.types import OBJECT, Nested, RequestBody, Uuid, View, described_as, doc, refused
from gateway.openapi.examples import EXECUTION_ID
from gateway.runs.answers import answer_ended
from gateway.runs.request import RunParameters, read_depth
from gateway.runs.service import run
from gateway.runs.types import AcceptedView
from gateway.runs.waiter import PendingRunAnswer
from gateway.services import GatewayRequest


class ServerToolsRequest(RequestBody):
    """Address of a server of tools, and the secret that its calls carry."""

    server: Annotated[
        str,
        doc("URL of the MCP server.", "https://tools.example.com/mcp"),
        refused("must be the URL of an MCP server"),
    ]
    auth: Annotated[
        OBJECT | None,
        doc("As `auth` of an HTTP Request: `type`, `secret`, and `name` for a header."),
        refused("must be an object with 'type' and 'secret'"),
    ] = None


class ServerTool(Nested):
    """Tool as its server describes it."""

    name: str
    title: str | None
    description: str
    input_schema: Annotated[OBJECT, doc("JSON Schema of the arguments.")]


class ServerToolsView(View):
    """Tools of a server; names and texts are the server's."""

    tools: Annotated[list[OBJECT], described_as(list[ServerTool])]
    execution_id: Annotated[Uuid, doc("Execution that asked the server.")]


ServerToolsRequest.examples = (
    ServerToolsRequest(
        "https://tools.example.com/mcp", auth={"type": "bearer", "secret": "TOOLS_TOKEN"}
    ),
)
ServerToolsView.examples = (
    ServerToolsView(
        tools=[
            {
                "name": "forecast",
                "title": "Forecast",
                "description": "Weather of the next days.",
                "inputSchema": {"type": "object", "properties": {"city": {"type": "string"}}},
            }
        ],
        execution_id=EXECUTION_ID,
    ),
)


@operation(
    body=ServerToolsRequest,
    answers={200: ServerToolsView, 202: AcceptedView},
    errors=(
        errors.TooManyExecutions,
        errors.ExecutionFailed,
        errors.ExecutionCancelled,
        errors.LoopDetected,
    ),
)
@requires("workflow:write", also="workflow:run", bucket=WORKFLOW_RUNS)
async def list_server_tools(request: GatewayRequest, principal: Principal) -> Answer:
    """Let a worker ask a server for its tools, by an execution of the caller's account."""
    body = await read_body(request, ServerToolsRequest)
    services = request.services
    data: dict[str, Any] = {"server": body.server, "auth": body.auth}
    target = ServerToolsRun(
        store=services.store, data=data, allow_private=services.checker.allow_private
    )
    parameters = RunParameters(
        inputs={}, depth=read_depth(request), wait_seconds=services.settings.sync_timeout
    )
    answer = await run(request, principal, target, parameters)
    if not isinstance(answer, PendingRunAnswer):
        return answer
    execution = await answer.wait()
    if execution is None:
        return json_response(AcceptedView.for_execution(answer.execution_id), 202)
    if execution.status is not ExecutionStatus.COMPLETED:
        with _told_of_the_server():
            return answer_ended(execution, answer.milliseconds, ())
    tools = execution.result if isinstance(execution.result, list) else []
    return json_response(ServerToolsView(tools=tools, execution_id=execution.id))


@contextmanager
def _told_of_the_server() -> Iterator[None]:
    """Leave the node out of a failure: the caller has named a server, and knows of no node."""
    try:
        yield
    except errors.ExecutionFailed as failed:
        reason = failed.context.get("reason", failed.message)
        sentence = f"The server's tools could not be listed: {reason}"
        raise errors.ExecutionFailed(sentence, **failed.context) from failed


routes = [Route("/api/mcp/tools", Resource(POST=list_server_tools))]
