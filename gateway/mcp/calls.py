"""Calls of tools: runs of workflows, by the same path as over HTTP.

A client of the revision 2026-07-28 that drops its connection cancels the call, and so its run. The
run of a client of a revision before goes on, until the client cancels it by a notification.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import anyio
import msgspec
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolRequestParams, CallToolResult
from starlette.responses import Response

from engine.errors import EngineError, Unavailable, WorkflowNotFound
from engine.executions.sources import Source
from engine.ids.idempotency import IdempotencyKey
from engine.ids.slugs import SLUG
from engine.services.runs.targets import Runnable, SavedWorkflow
from engine.store import NewRun
from engine.store.accounts.tool_calls import ToolCallName, ToolCalls
from gateway.admission.credentials import header_values
from gateway.auth.principal import check_approved, has_capability
from gateway.http.responses import encode_json
from gateway.mcp.messages import RUN, McpExchange, exchange_of
from gateway.mcp.progress import ProgressReporter
from gateway.mcp.results import error_result, run_result
from gateway.mcp.tools import is_tool
from gateway.runs.request import RunParameters, read_depth, read_idempotency_key
from gateway.runs.service import run
from gateway.runs.waiter import PendingRunAnswer

CANCEL_ATTEMPTS = 30
CANCEL_PAUSE_SECONDS = 1.0
"""A cancel is tried again for this long while the store is away."""
IDEMPOTENCY_KEY = b"idempotency-key"
NOTE_SECONDS = 60.0
"""Time for which a call can be cancelled after the longest wait."""


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
        target = find_tool(exchange, params.name)
        return await _Call(context, exchange, target, params.arguments or {}).answer()
    except WorkflowNotFound:
        raise unknown_tool(params.name) from None
    except EngineError as error:
        return error_result(error)


def find_tool(exchange: McpExchange, name: str) -> WorkflowTool:
    """Return the target of a call. Raises WorkflowNotFound, and the errors that refuse a run."""
    principal = exchange.principal
    if not SLUG.fullmatch(name) or not has_capability(principal, RUN, name):
        raise WorkflowNotFound
    if exchange.refusal is not None:
        raise exchange.refusal
    check_approved(principal)
    return WorkflowTool(exchange.request.services.store, name)


def unknown_tool(name: str) -> MCPError:
    """Return the protocol's error for a name that is no tool of the caller."""
    # A text of another form may be a secret, which no answer repeats.
    shown = f": {name}" if SLUG.fullmatch(name) else ""
    return MCPError(INVALID_PARAMS, f"Unknown tool{shown}")


def run_parameters(
    exchange: McpExchange, name: str, inputs: dict[str, Any], *, wait_seconds: float
) -> RunParameters:
    """Return the parameters of the run of a call. Raises LoopDetected and InvalidIdempotencyKey."""
    return RunParameters(
        inputs=inputs,
        idempotency_key=_idempotency_key(exchange, name, inputs),
        body_bytes=exchange.body_bytes,
        depth=read_depth(exchange.request),
        wait_seconds=wait_seconds,
    )


def _idempotency_key(
    exchange: McpExchange, name: str, inputs: dict[str, Any]
) -> IdempotencyKey | None:
    if not header_values(exchange.request.scope, IDEMPOTENCY_KEY):
        return None
    # A call that is sent again has a message with another id: tool and inputs are compared.
    called = encode_json({"name": name, "arguments": inputs})
    return read_idempotency_key(exchange.request, called, None)


class _Call:
    """One call whose caller waits."""

    def __init__(
        self,
        context: ServerRequestContext[Any, Any],
        exchange: McpExchange,
        target: WorkflowTool,
        inputs: dict[str, Any],
    ) -> None:
        self._context = context
        self._exchange = exchange
        self._target = target
        self._inputs = inputs
        self._pending: PendingRunAnswer | None = None
        self._is_left = False

    async def answer(self) -> CallToolResult:
        """Return the result. A caller who hangs up ends the wait. Raises EngineError."""
        # The library cancels each await of a scope that it cancels; the task is outside of it.
        work = asyncio.create_task(self._run())
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            with anyio.CancelScope(shield=True):
                await self._leave(work)
            raise

    async def _run(self) -> CallToolResult:
        exchange = self._exchange
        services, principal = exchange.request.services, exchange.principal
        seconds = services.settings.sync_timeout
        parameters = run_parameters(exchange, self._target.slug, self._inputs, wait_seconds=seconds)
        answer = await run(exchange.request, principal, self._target, parameters)
        if isinstance(answer, PendingRunAnswer):
            self._pending = answer
            if self._is_left:
                answer.leave()
            async with self._accompanied(answer.execution_id):
                answer = await answer.finish()
        if not isinstance(answer, Response):
            raise TypeError("a call of a tool is authorized before it runs")
        body = msgspec.json.decode(answer.body)
        return await run_result(services, body, self._context.protocol_version)

    @contextlib.asynccontextmanager
    async def _accompanied(self, execution_id: str) -> AsyncIterator[None]:
        """Let a notification find the run, and tell its progress, while the context lasts."""
        exchange, context = self._exchange, self._context
        wants_progress = context.meta is not None and "progress_token" in context.meta
        async with contextlib.AsyncExitStack() as stack:
            if exchange.call_name is not None:
                await stack.enter_async_context(_noted(exchange, exchange.call_name, execution_id))
            if wants_progress:
                reporter = ProgressReporter(context, exchange, execution_id)
                await stack.enter_async_context(reporter.running())
            yield

    async def _leave(self, work: "asyncio.Task[CallToolResult]") -> None:
        """End the wait of a caller who has hung up; cancel the run of a client of 2026-07-28."""
        self._is_left = True
        if self._pending is not None:
            self._pending.leave()
        await asyncio.wait([work])
        if not work.cancelled():
            work.exception()  # nobody is told
        request = self._exchange.request
        execution_id = request.context.execution_id
        is_stopping = request.services.stopping.is_set()
        if execution_id and not is_stopping and not self._exchange.is_legacy:
            await cancel_run(self._exchange, execution_id)


@contextlib.asynccontextmanager
async def _noted(
    exchange: McpExchange, name: ToolCallName, execution_id: str
) -> AsyncIterator[None]:
    """Note the run of a call while the context lasts; beside the wait, which it does not delay."""
    services = exchange.request.services
    seconds = services.settings.sync_timeout + NOTE_SECONDS
    task = asyncio.create_task(_note(services.store.tool_calls, name, execution_id, seconds))
    try:
        yield
    finally:
        await task


async def _note(calls: ToolCalls, name: ToolCallName, execution_id: str, seconds: float) -> None:
    with contextlib.suppress(EngineError):
        await calls.note(name, execution_id, seconds)


async def cancel_run(exchange: McpExchange, execution_id: str) -> None:
    """Cancel a run of the caller; nothing happens for one that has ended."""
    services, account_id = exchange.request.services, exchange.principal.account.id
    for _ in range(CANCEL_ATTEMPTS):
        try:
            await services.store.executions.cancel(account_id, execution_id)
            return
        except Unavailable:
            if services.stopping.is_set():
                return
        except EngineError:
            return  # it has ended
        await asyncio.sleep(CANCEL_PAUSE_SECONDS)
