"""Executions: list, read and cancel one's own."""

import asyncio
from typing import Literal

from starlette.responses import Response
from starlette.routing import Route

from engine.errors import ExecutionNotCancellable, ExecutionNotFound, InvalidQuery, TooManyStreams
from engine.store import Principal
from engine.store.archive.archive import ParentNode
from gateway.auth.endpoints import NO_BODY, before_approval, in_turns, operation, requires
from gateway.auth.resource import Resource
from gateway.http.responses import json_response
from gateway.http.types import Uuid, View
from gateway.openapi.examples import EXECUTION_ID
from gateway.runs.node_names import node_names
from gateway.runs.node_views import read_children
from gateway.runs.places import read_execution_id
from gateway.runs.query import ExecutionQuery, FilteredPageQuery
from gateway.runs.streams import (
    LAST_EVENT_ID,
    EventView,
    ExecutionStream,
    read_last_event_id,
)
from gateway.runs.types import EXECUTION_ROW, ExecutionRow, ExecutionView
from gateway.services import GatewayRequest
from gateway.waits.waiting_for import read_waiting_for


class ExecutionPage(View):
    """A page of executions."""

    rows: list[ExecutionRow]
    next_cursor: str | None


class CancelRequested(View):
    """An execution whose cancellation was requested."""

    execution_id: Uuid
    status: Literal["cancel_requested"]


ExecutionPage.examples = (ExecutionPage([EXECUTION_ROW], next_cursor=None),)
CancelRequested.examples = (CancelRequested(EXECUTION_ID, "cancel_requested"),)


@operation(
    query=ExecutionQuery, answers={200: ExecutionPage}, errors=(InvalidQuery, ExecutionNotFound)
)
@in_turns
@requires("execution:read")
async def list_executions(request: GatewayRequest, principal: Principal) -> Response:
    """The caller's executions, newest first, a page at a time.

    Executions that nodes of others began are not among them. With `parentId` and `parentNodeId`
    they are those that this node began, in the order of their indexes.
    """
    services, query = request.services, ExecutionQuery.parse(request.scope)
    if query.parent_node is not None:
        return await _list_children(request, principal, query, query.parent_node)
    rows, next_cursor = await services.store.executions.list(
        principal.account.id,
        query.read_filter(),
        limit=query.limit,
        cursor=query.cursor,
        reserve=services.result_memory.for_answer(request.context),
    )
    return json_response(
        ExecutionPage([ExecutionRow.from_record(row) for row in rows], next_cursor)
    )


async def _list_children(
    request: GatewayRequest, principal: Principal, query: FilteredPageQuery, place: ParentNode
) -> Response:
    services, account_id = request.services, principal.account.id
    rows, next_cursor = await services.store.executions.children.page(
        account_id,
        place,
        query.read_filter().statuses,
        limit=query.limit,
        cursor=query.cursor,
        reserve=services.result_memory.for_answer(request.context),
    )
    return json_response(
        ExecutionPage([ExecutionRow.from_record(row) for row in rows], next_cursor)
    )


@operation(answers={200: ExecutionView}, errors=(ExecutionNotFound,))
@requires("execution:read")
async def get_execution(request: GatewayRequest, principal: Principal) -> Response:
    """One execution with its nodes."""
    services, account_id = request.services, principal.account.id
    store, reserve = services.store, services.result_memory.for_answer(request.context)
    execution_id = read_execution_id(request)
    execution, details, groups = await asyncio.gather(
        store.executions.get(account_id, execution_id, reserve),
        store.executions.details(account_id, execution_id),
        store.executions.children.of_nodes(account_id, execution_id),
    )
    names = await node_names(store, account_id, execution_id, execution)
    below = await read_children(store, account_id, execution_id, groups, names)
    links = services.media_service.linked_assets(execution.result)
    waiting_for = await read_waiting_for(request, principal, execution)
    return json_response(
        ExecutionView.with_nodes(
            execution, details, names, links, below, waiting_for, services.trace_links
        )
    )


@operation(
    headers=(LAST_EVENT_ID,),
    answers={200: EventView, 204: NO_BODY},
    errors=(InvalidQuery, ExecutionNotFound, TooManyStreams),
)
@requires("execution:read")
async def watch_execution(request: GatewayRequest, principal: Principal) -> Response:
    """The events of an execution, from the first or after the last one that the caller has seen."""
    request.services.open_streams.take_place(request.context, principal)
    stream = ExecutionStream(
        request,
        principal,
        read_execution_id(request),
        after=read_last_event_id(request),
        seconds=request.services.settings.sync_timeout,
    )
    return stream.respond(await stream.read())


@operation(answers={202: CancelRequested}, errors=(ExecutionNotFound, ExecutionNotCancellable))
@before_approval  # it stops executions begun before the approval was withdrawn
@requires("execution:cancel")
async def cancel_execution(request: GatewayRequest, principal: Principal) -> Response:
    """Ask for an execution to stop."""
    account_id, execution_id = principal.account.id, read_execution_id(request)
    executions = request.services.store.executions
    found = await executions.facts(account_id, execution_id)
    if found.child is not None:
        raise ExecutionNotCancellable(found.status, found.child.root_id)
    await executions.cancel(account_id, execution_id)
    return json_response(CancelRequested(execution_id, "cancel_requested"), 202)


routes = [
    Route("/api/executions", Resource(GET=list_executions)),
    Route("/api/executions/{execution_id}", Resource(GET=get_execution)),
    Route("/api/executions/{execution_id}/events", Resource(GET=watch_execution)),
    Route("/api/executions/{execution_id}/cancel", Resource(POST=cancel_execution)),
]
