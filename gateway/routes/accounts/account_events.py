"""Events of the signed-in account, as they happen."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from engine.errors import (
    ExecutionNotFound,
    InvalidQuery,
    NotFound,
    ResultGone,
    TooManyStreams,
)
from engine.store import Principal, ReserveMemory
from engine.store.waits.node_waits import WaitRef
from engine.webhooks.events import CANARY_ROLLED_BACK
from engine.webhooks.wait_entries import wait_entry
from gateway.admission.request_context import RequestContext
from gateway.auth.endpoints import operation, session_only
from gateway.auth.resource import Resource
from gateway.events.account_feed import (
    LAST_ACCOUNT_EVENT,
    AccountFeed,
    AccountPage,
    parse_account_cursor,
)
from gateway.events.event_streams import EVENT_STREAM, EventStream, read_last_event_id
from gateway.http.types import View, doc
from gateway.routes.webhooks.views import DeliveryView
from gateway.routes.workflows.rows import make_rows
from gateway.runs.types import ExecutionRow
from gateway.services import GatewayRequest, Services


class AccountEventName(StrEnum):
    """Names of an account's events."""

    STARTED = "execution.started"
    WAITING = "execution.waiting"
    COMPLETED = "execution.completed"
    FAILED = "execution.failed"
    CANCELLED = "execution.cancelled"
    DELIVERY = "delivery.updated"
    BALANCE = "balance.changed"
    WORKFLOW = "workflow.saved"
    CANARY = CANARY_ROLLED_BACK


class AccountEventView(View):
    """A server-sent event of the account."""

    media_type = EVENT_STREAM

    id: Annotated[str, doc("Value for `Last-Event-ID`.")]
    event: AccountEventName
    data: Annotated[
        str,
        doc("A JSON object in one line: `id` and `at` of what has changed, and its row in lists."),
    ]


AccountEventView.examples = (
    AccountEventView(
        id="1795801822716-1",
        event=AccountEventName.BALANCE,
        data='{"id":"1795801822715-0","at":"2026-11-27T18:30:22.715Z","kind":"capture",'
        '"credits":-12,"balance":4988,"executionId":null}',
    ),
)


class ListRows:
    """Rows of an account's lists; see `gateway.events.account_feed.Rows`."""

    def __init__(self, services: Services, principal: Principal, reserve: ReserveMemory) -> None:
        self._services = services
        self._principal = principal
        self._reserve = reserve

    @classmethod
    @contextmanager
    def open(cls, services: Services, principal: Principal) -> Iterator["ListRows"]:
        """Yield rows, and return the memory for the last one at the end of the context."""
        # Rows outlast the request of a stream: other streams of the account may share them.
        context = RequestContext(account_id=principal.account.id)
        try:
            yield cls(services, principal, services.result_memory.for_answer(context))
        finally:
            services.result_memory.release(context)

    async def execution(self, execution_id: str) -> tuple[str, dict[str, Any]]:
        """Return the status of an execution, and its row. Raises ExecutionNotFound."""
        executions, account_id = self._services.store.executions, self._principal.account.id
        try:
            found = await executions.head(account_id, execution_id, self._reserve)
        except ResultGone:
            found = await executions.facts(account_id, execution_id)
        return found.status.value, _members(ExecutionRow.from_record(found))

    async def wait(self, execution_id: str, node_index: int) -> dict[str, Any]:
        """Return the row of a root, with a wait of it or of a child. Raises ExecutionNotFound."""
        ref = WaitRef(self._principal.account.id, execution_id, node_index)
        wait = await self._services.store.node_waits.find(ref)
        if wait is None:
            raise ExecutionNotFound
        _, row = await self.execution(wait.root_id)
        return {"id": wait.root_id, **row, "waiting": wait_entry(wait, wait.root_id)}

    async def delivery(self, delivery_id: str) -> dict[str, Any]:
        """Return the row of a delivery. Raises NotFound."""
        deliveries = self._services.store.deliveries
        found = await deliveries.find(self._principal.account.id, delivery_id)
        return _members(DeliveryView.from_record(found))

    async def workflow(self, slug: str) -> dict[str, Any]:
        """Return the row of a workflow. Raises WorkflowNotFound."""
        workflow_list = self._services.store.workflow_list
        found = await workflow_list.find(self._principal.account.id, slug)
        (row,) = await make_rows(self._services, self._principal, [found])
        return _members(row)

    async def canary(self, slug: str, canary_id: str) -> dict[str, Any]:
        """Return the facts of the roll back of a canary. Raises NotFound when they are gone."""
        canaries = self._services.store.canaries
        told = await canaries.told(self._principal.account.id, slug, canary_id)
        if told is None:
            raise NotFound("The counts of this canary are gone")
        facts: dict[str, Any] = msgspec.json.decode(told)
        return facts


def _members(view: View) -> dict[str, Any]:
    members: dict[str, Any] = msgspec.to_builtins(view)
    return members


@operation(
    headers=(LAST_ACCOUNT_EVENT,),
    answers={200: AccountEventView},
    errors=(InvalidQuery, TooManyStreams),
)
@session_only
async def watch_account(request: GatewayRequest, principal: Principal) -> Response:
    """The events of the account from now on, or after the last one that the caller has seen."""
    services, account_id = request.services, principal.account.id
    after = read_last_event_id(request, parse_account_cursor, None)
    services.open_streams.take_place(request.context, principal)
    rows = partial(ListRows.open, services, principal)
    feed = AccountFeed(services.store, services.live_events, account_id, rows, after)
    stream: EventStream[AccountPage] = EventStream(
        request,
        principal,
        feed,
        topic=f"account:{account_id}",
        seconds=services.settings.sync_timeout,
    )
    return stream.respond(await stream.read())


routes = [Route("/api/events", Resource(GET=watch_account))]
