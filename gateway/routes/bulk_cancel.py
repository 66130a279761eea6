"""Cancellation of many executions at once."""

from typing import Annotated

from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.executions.execution import ExecutionStatus
from engine.ids.slugs import check_slug
from engine.services.bulk_cancel import MOST_CANCELLED, SOURCES, CancelFilter, cancel_matching
from engine.store import Principal
from gateway.auth.endpoints import Resource, before_approval, operation, requires
from gateway.http.request_bodies import read_body
from gateway.http.responses import json_response
from gateway.http.types import RequestBody, View, doc, refused
from gateway.services import GatewayRequest

STATUSES = frozenset(ExecutionStatus)


class CancelRequest(RequestBody, forbid_unknown_fields=True):
    """The executions to cancel: those that all given members fit. At least one is needed."""

    status: Annotated[
        str | list[str] | None,
        doc("With this status, or one of these; only `processing` can be cancelled."),
        refused("must be a status or a list of them"),
    ] = None

    workflow_slug: Annotated[str | None, doc("Of this workflow."), refused("must be a text")] = None
    key_id: Annotated[
        str | None, doc("Begun with the key of this id."), refused("must be a text")
    ] = None
    source: Annotated[
        str | None,
        doc(f"From this source: {', '.join(sorted(SOURCES))}."),
        refused("must be a text"),
    ] = None

    @property
    def statuses(self) -> frozenset[str] | None:
        """Return the wanted statuses; None: any."""
        if self.status is None:
            return None
        return frozenset([self.status] if isinstance(self.status, str) else self.status)

    def __post_init__(self) -> None:
        """Check that there is a filter, and its values."""
        given = (self.status, self.workflow_slug, self.key_id, self.source)
        if all(each is None for each in given):
            message = "One of 'workflowSlug', 'keyId', 'source' and 'status' is needed"
            raise errors.InvalidBody(message, field="workflowSlug")
        if self.statuses is not None and not self.statuses <= STATUSES:
            message = f"'status' must be one of {', '.join(sorted(STATUSES))}"
            raise errors.InvalidBody(message, field="status")
        if self.source is not None and self.source not in SOURCES:
            message = f"'source' must be one of {', '.join(sorted(SOURCES))}"
            raise errors.InvalidBody(message, field="source")
        if self.workflow_slug is not None:
            try:
                check_slug(self.workflow_slug)
            except errors.InvalidSlug:
                message = "'workflowSlug' must be a workflow's slug"
                raise errors.InvalidBody(message, field="workflowSlug") from None


class CancelledExecutions(View):
    """Executions whose cancellation was requested."""

    cancelled: Annotated[int, doc(f"Their number, at most {MOST_CANCELLED:,}.")]
    more: Annotated[bool, doc("Whether executions are left that the filters fit.")]


CancelRequest.examples = (
    CancelRequest(workflow_slug="greeting"),
    CancelRequest(source="api-workflow", key_id="key_0123456789abcdef01234567"),
)
CancelledExecutions.examples = (CancelledExecutions(cancelled=12, more=False),)


@operation(body=CancelRequest, answers={202: CancelledExecutions})
@before_approval  # it stops executions begun before the approval was withdrawn
@requires("execution:cancel")
async def cancel_executions(request: GatewayRequest, principal: Principal) -> Response:
    """Ask for the running executions that fit the filters to stop, at most 1,000 at once."""
    body = await read_body(request, CancelRequest)
    wanted = CancelFilter(
        slug=body.workflow_slug, key_id=body.key_id, source=body.source, statuses=body.statuses
    )
    store, account_id = request.state["services"].store, principal.account.id
    found = await cancel_matching(store.executions, account_id, wanted)
    return json_response(CancelledExecutions(cancelled=found.cancelled, more=found.is_more), 202)


routes = [Route("/api/executions/cancel", Resource(POST=cancel_executions))]
