"""Tasks: calls whose clients come back for the result, by any gateway and after any restart.

They are the extension `io.modelcontextprotocol/tasks` of the revision 2026-07-28. A client that
declares it gets a task for each call; the record of the execution is all there is about one.
"""

import asyncio
import time
from dataclasses import replace
from typing import Any

import anyio
import msgspec
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CallToolRequestParams,
    CallToolResult,
    ClientCapabilities,
    RequestParams,
    SubscriptionFilter,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from msgspec import structs
from pydantic import Field
from starlette.responses import Response

from engine.errors import (
    EngineError,
    ExecutionNotCancellable,
    ExecutionNotFound,
    ResultGone,
    WorkflowNotFound,
)
from engine.executions.execution import Execution
from engine.executions.sources import Source
from engine.executions.statuses import ExecutionStatus
from engine.ids.executions import is_execution_id
from gateway.admission.credentials import header_value
from gateway.mcp.calls import call_tool, find_tool, run_parameters, unknown_tool
from gateway.mcp.failures import as_protocol_error
from gateway.mcp.messages import McpExchange, exchange_of
from gateway.mcp.results import error_result, run_result
from gateway.mcp.task_states import TASKS, is_over, task_state
from gateway.runs.answers import answer_ended
from gateway.runs.service import run
from gateway.runs.webhooks import find_webhook
from gateway.services import Services
from gateway.waits.waiting_for import read_waiting_for

Context = ServerRequestContext[Any, Any]
NAME_HEADER = b"mcp-name"
DECLARED = ClientCapabilities(extensions={TASKS: {}})
REQUIRED: dict[str, Any] = {"requiredCapabilities": {"extensions": {TASKS: {}}}}


class TaskParams(RequestParams):
    """Parameters of a request about a task."""

    task_id: str = Field(alias="taskId")


def add_tasks(server: Server[Any]) -> None:
    """Let a server offer tasks beside its calls."""
    server.extensions[TASKS] = {}
    server.add_request_handler("tools/call", CallToolRequestParams, call_or_begin)
    server.add_request_handler("tasks/get", TaskParams, get_task)
    server.add_request_handler("tasks/update", TaskParams, update_task)
    server.add_request_handler("tasks/cancel", TaskParams, cancel_task)


def check_task_subscription(context: Context, wanted: SubscriptionFilter) -> None:
    """Raise MCPError for a client that wants to be told of tasks and has not declared them.

    Others are not told either, which the protocol allows: the acknowledgement leaves tasks out.
    """
    if "taskIds" in (wanted.model_extra or {}) and not _declares_tasks(context):
        raise _undeclared()


def _declares_tasks(context: Context) -> bool:
    is_modern = context.protocol_version in MODERN_PROTOCOL_VERSIONS
    return is_modern and context.session.check_client_capability(DECLARED)


async def call_or_begin(
    context: Context, params: CallToolRequestParams
) -> CallToolResult | dict[str, Any]:
    """Begin a task for a client that knows tasks; others wait for the result."""
    if not _declares_tasks(context):
        return await call_tool(context, params)
    # A client that hangs up ends neither the acceptance, which is on its way, nor the run.
    beginning = asyncio.create_task(_begin(exchange_of(context.request), params))
    try:
        return await asyncio.shield(beginning)
    except asyncio.CancelledError:
        with anyio.CancelScope(shield=True):
            await asyncio.wait([beginning])
        if not beginning.cancelled():
            beginning.exception()  # nobody is told
        raise
    except WorkflowNotFound:
        raise unknown_tool(params.name) from None
    except EngineError as error:
        return error_result(error)


async def _begin(exchange: McpExchange, params: CallToolRequestParams) -> dict[str, Any]:
    """Run the workflow of a tool; return its new task. Raises the errors that refuse a run."""
    request, principal = exchange.request, exchange.principal
    target, arguments = find_tool(exchange, params.name), params.arguments or {}
    parameters = run_parameters(exchange, params.name, arguments, wait_seconds=0)
    idempotency_key = parameters.idempotency_key
    webhook = await find_webhook(request, principal, is_async=True, idempotency_key=idempotency_key)
    parameters = structs.replace(parameters, webhook=webhook)
    answer = await run(request, principal, target, parameters)
    if not isinstance(answer, Response):
        raise TypeError("a call of a tool is authorized before it runs")
    execution_id = msgspec.json.decode(answer.body)["executionId"]
    # A task may be told only once a request about it finds it.
    execution = await request.services.store.executions.facts(principal.account.id, execution_id)
    # A short run may have ended by now. The new task works all the same: this answer has no place
    # for a result, and a client may take an ended task for one without any.
    begun = replace(execution, status=ExecutionStatus.PROCESSING, completed_at=None, nodes=())
    return {"resultType": "task", **_state(exchange, begun)}


async def get_task(context: Context, params: TaskParams) -> dict[str, Any]:
    """Return the state of a task, with the result of one that has ended."""
    exchange = _exchange_of(context, params)
    try:
        return await read_task(exchange, params.task_id)
    except EngineError as error:
        raise _protocol_error(error) from None


async def read_task(exchange: McpExchange, task_id: str) -> dict[str, Any]:
    """Return the state of a task. Raises ExecutionNotFound for one of another key."""
    found = await _find(exchange, task_id)
    request, principal = exchange.request, exchange.principal
    executions = request.services.store.executions
    reserve = request.services.result_memory.for_answer(request.context)
    read = executions.head if is_over(found) else executions.get
    try:
        execution = await read(principal.account.id, task_id, reserve)
        if not is_over(execution):
            waits = await read_waiting_for(request, principal, execution)
            return _state(exchange, execution, waits=waits)
        result = await _result(request.services, execution)
    except ResultGone as error:
        execution, result = await _find(exchange, task_id), error_result(error)
    wire = result.model_dump(mode="json", by_alias=True, exclude_none=True)
    return _state(exchange, execution, result=wire)


async def update_task(context: Context, params: TaskParams) -> dict[str, Any]:
    """Acknowledge answers to questions; a task has none, so that all are ignored."""
    try:
        await _find(_exchange_of(context, params), params.task_id)
    except EngineError as error:
        raise _protocol_error(error) from None
    return {}


async def cancel_task(context: Context, params: TaskParams) -> dict[str, Any]:
    """Ask for the run of a task to stop; nothing happens to one that has ended."""
    exchange = _exchange_of(context, params)
    executions = exchange.request.services.store.executions
    try:
        execution = await _find(exchange, params.task_id)
        await executions.cancel(execution.account_id, execution.id)
    except ExecutionNotCancellable:
        pass
    except EngineError as error:
        raise _protocol_error(error) from None
    return {}


def _exchange_of(context: Context, params: TaskParams) -> McpExchange:
    """Return the exchange of a request about tasks.

    Raises MCPError for clients without them, and for a header that names another task.
    """
    if context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        raise MCPError(METHOD_NOT_FOUND, "Method not found", context.method)
    if not _declares_tasks(context):
        raise _undeclared()
    exchange = exchange_of(context.request)
    name = header_value(exchange.request.scope, NAME_HEADER)
    if name is not None and name != params.task_id:
        sentence = f"{NAME_HEADER.decode()} header does not match the request body's 'taskId'"
        raise MCPError(HEADER_MISMATCH, sentence)
    return exchange


def _undeclared() -> MCPError:
    sentence = f"The client has not declared the extension {TASKS}"
    return MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, sentence, REQUIRED)


async def _find(exchange: McpExchange, task_id: str) -> Execution:
    """Return the execution of a task, without nodes and result.

    Raises ExecutionNotFound, also for executions that the caller's key did not begin as a client of
    this protocol.
    """
    if not is_execution_id(task_id):
        raise ExecutionNotFound
    executions = exchange.request.services.store.executions
    ids = exchange.principal.account.id, task_id
    execution, details = await asyncio.gather(executions.facts(*ids), executions.details(*ids))
    key_id = exchange.principal.key_id
    if execution.source != Source.MCP or not key_id or details.key_id != key_id:
        raise ExecutionNotFound
    return execution


async def _result(services: Services, execution: Execution) -> CallToolResult:
    try:
        milliseconds = execution.duration_ms or 0
        answer = answer_ended(execution, milliseconds, execution.warnings)
    except EngineError as error:
        return error_result(error)
    return await run_result(services, msgspec.json.decode(answer.body))


def _state(exchange: McpExchange, execution: Execution, **known: Any) -> dict[str, Any]:
    terms = exchange.principal.terms
    days = exchange.request.services.settings.retention_days
    if terms.retention_days is not None:
        days = terms.retention_days
    return task_state(execution, now=int(time.time() * 1_000), retention_days=days, **known)


def _protocol_error(error: EngineError) -> MCPError:
    if isinstance(error, ExecutionNotFound):
        return MCPError(INVALID_PARAMS, "There is no such task of this key, or it is gone")
    return as_protocol_error(error)
