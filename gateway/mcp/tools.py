"""Tools: the account's own live workflows that the caller may run, a page at a time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, ListToolsResult, PaginatedRequestParams, Tool

from engine.errors import WorkflowNotFound
from engine.ids.slugs import SLUG
from engine.store import Principal, WorkflowSummary
from engine.values.input_schemas import inputs_schema
from gateway.auth.principal import has_capability
from gateway.mcp.messages import RUN, exchange_of
from gateway.openapi.results import result_of
from gateway.services import Services

PAGE = 100
AT_ONCE = 10
"""Workflows of which the documents are read together."""


async def list_tools(
    context: ServerRequestContext[Any, Any], params: PaginatedRequestParams | None
) -> ListToolsResult:
    """Return a page of tools in the order of their names; the cursor is the last name."""
    exchange = exchange_of(context.request)
    services, principal = exchange.request.services, exchange.principal
    after = _read_cursor(params)
    async with services.long_calls.slot(principal.account.id):
        tools, next_cursor = await read_page(services, principal, after)
    return ListToolsResult(tools=tools, next_cursor=next_cursor)


def _read_cursor(params: PaginatedRequestParams | None) -> str:
    cursor = None if params is None else params.cursor
    if cursor is None:
        return ""
    if not SLUG.fullmatch(cursor):
        raise MCPError(INVALID_PARAMS, "The cursor is not one that a list of tools gave")
    return cursor


async def read_page(
    services: Services, principal: Principal, after: str
) -> tuple[list[Tool], str | None]:
    """Return the tools after a name, and the name that the next page follows."""
    slugs = sorted(
        slug
        for slug in await services.store.workflow_list.slugs(principal.account.id)
        if slug > after and has_capability(principal, RUN, slug)
    )
    tools: list[Tool] = []
    for start in range(0, len(slugs), PAGE):
        chunk = slugs[start : start + PAGE]
        summaries = await services.store.workflow_list.find_all(principal.account.id, chunk)
        async for tool in _make_tools(services, [each for each in summaries if is_tool(each)]):
            if len(tools) == PAGE:
                return tools, tools[-1].name
            tools.append(tool)
    return tools, None


async def _make_tools(
    services: Services, summaries: Sequence[WorkflowSummary]
) -> AsyncIterator[Tool]:
    """Yield the tools of workflows, without those that cannot run."""
    for start in range(0, len(summaries), AT_ONCE):
        chunk = summaries[start : start + AT_ONCE]
        for tool in await asyncio.gather(*(_make_tool(services, each) for each in chunk)):
            if tool is not None:
                yield tool
        await asyncio.sleep(0)  # plans may be compiled: other requests get their turn


def is_tool(summary: WorkflowSummary) -> bool:
    """Return whether a workflow is a tool: it has a live version, and is no hidden or archived."""
    return summary.version > 0 and not summary.hidden and not summary.archived


async def _make_tool(services: Services, summary: WorkflowSummary) -> Tool | None:
    """Return the tool of a workflow; None for one that cannot run."""
    try:
        _, plan = await services.store.workflows.plan_of(
            summary.account_id, summary.slug, summary.version
        )
    except WorkflowNotFound:
        return None
    allow_http = services.settings.allow_private_urls
    result, _ = result_of(plan)
    return Tool(
        name=summary.slug,
        title=summary.name,
        description=summary.description or None,
        input_schema=inputs_schema(
            plan.fields, strict=plan.strict_inputs, allow_http=allow_http, allow_assets=True
        ),
        output_schema=result if result.get("type") == "object" else None,
    )
