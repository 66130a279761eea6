"""Calls of tools: runs of workflows, by the same path as over HTTP."""

from dataclasses import dataclass
from typing import Any

import msgspec
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolRequestParams, CallToolResult
from starlette.responses import Response

from engine.errors import EngineError, WorkflowNotFound
from engine.executions.sources import Source
from engine.ids.slugs import SLUG
from engine.services.runs.targets import Runnable, SavedWorkflow
from engine.store import NewRun
from gateway.auth.principal import check_approved, has_capability
from gateway.mcp.messages import McpExchange, exchange_of
from gateway.mcp.results import error_result, run_result
from gateway.mcp.tools import RUN, is_tool
from gateway.runs.request import RunParameters, read_depth
from gateway.runs.service import run


@dataclass(frozen=True, slots=True)
class WorkflowTool(SavedWorkflow):
    """Workflow of the caller's own account that is called as a tool."""

    source = browser_source = Source.MCP

    async def find(self, run: NewRun, *, fresh: bool) -> Runnable:
        """See `RunTarget.find`. Raises WorkflowNotFound for workflows that are no tools."""
        summary = await self.store.workflow_list.find(run.account_id, self.slug)
        if not is_tool(summary):
            raise WorkflowNotFound
        found = await SavedWorkflow.find(self, run, fresh=fresh)
        if found.workflow is None or found.workflow.account_id != run.account_id:
            raise WorkflowNotFound
        return found


async def call_tool(
    context: ServerRequestContext[Any, Any], params: CallToolRequestParams
) -> CallToolResult:
    """Run a workflow and return its result; an error of the run is one of the tool."""
    exchange = exchange_of(context.request)
    try:
        return await _run(exchange, params)
    except WorkflowNotFound:
        raise unknown_tool(params.name) from None
    except EngineError as error:
        return error_result(error)


async def _run(exchange: McpExchange, params: CallToolRequestParams) -> CallToolResult:
    request, principal = exchange.request, exchange.principal
    target = find_tool(exchange, params.name)
    parameters = RunParameters(
        inputs=params.arguments or {},
        body_bytes=exchange.body_bytes,
        depth=read_depth(request),
        wait_seconds=request.services.settings.sync_timeout,
    )
    answer = await run(request, principal, target, parameters)
    if not isinstance(answer, Response):
        answer = await answer.finish()
    return run_result(msgspec.json.decode(answer.body))


def find_tool(exchange: McpExchange, name: str) -> WorkflowTool:
    """Return the target of a call. Raises WorkflowNotFound, and what refuses a run."""
    principal = exchange.principal
    if not SLUG.fullmatch(name) or not has_capability(principal, RUN, name):
        raise WorkflowNotFound
    if exchange.refusal is not None:
        raise exchange.refusal
    check_approved(principal)
    return WorkflowTool(exchange.request.services.store, name)


def unknown_tool(name: str) -> MCPError:
    """Return the protocol's error for a name that is no tool of the caller."""
    return MCPError(INVALID_PARAMS, f"Unknown tool: {name[:128]}")
