"""Cancellation of many executions at once."""

from typing import Annotated, Any

from msgspec import field
from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.executions.execution import ExecutionStatus
from engine.executions.sources import Source
from engine.ids.slugs import check_slug
from engine.services.bulk_cancel import MOST_CANCELLED, cancel_matching
from engine.store import ExecutionFilter, Principal
from engine.store.executions.filters import ID_START, NONE
from engine.values.plain import parse_moment
from gateway.auth.endpoints import Resource, before_approval, operation, requires
from gateway.http.request_bodies import read_body
from gateway.http.responses import json_response
from gateway.http.types import Moment, RequestBody, View, described_as, doc, refused
from gateway.openapi.examples import CREATED
from gateway.services import GatewayRequest

STATUSES = frozenset(ExecutionStatus)
SOURCES = frozenset(Source)

OptionalText = Annotated[str | None, refused("must be a text")]


class CancelRequest(RequestBody, forbid_unknown_fields=True, kw_only=True):
    """The executions to cancel: those that all given members fit. At least one is needed."""

    status: Annotated[
        str | list[str] | None,
        doc("With this status, or one of these; only `processing` can be cancelled."),
        refused("must be a status or a list of them"),
    ] = None
    workflow_slug: Annotated[OptionalText, doc("Of this workflow.")] = None
    version: Annotated[
        int | None, doc("Of this version of a workflow."), refused("must be a whole number")
    ] = None
    key_id: Annotated[
        OptionalText, doc(f"Begun with the key of this id; `{NONE}`: without a key.")
    ] = None
    source: Annotated[OptionalText, doc(f"From this source: {', '.join(sorted(SOURCES))}.")] = None
    model_id: Annotated[
        OptionalText, doc(f"Of a workflow that calls this model, or of it; `{NONE}`: of none.")
    ] = None
    http_request_id: Annotated[OptionalText, doc("Whose request had this `X-Request-Id`.")] = None
    error_code: Annotated[
        OptionalText, doc("With this code of an error, which none has before its end.")
    ] = None
    created_from: Annotated[
        Any, described_as(Moment | None, description="Created at this time or later.")
    ] = field(name="from", default=None)
    created_to: Annotated[
        Any, described_as(Moment | None, description="Created before this time.")
    ] = field(name="to", default=None)
    id_start: Annotated[OptionalText, doc("Whose id begins so.")] = field(name="q", default=None)

    @property
    def statuses(self) -> frozenset[str]:
        """Return the wanted statuses; none: any."""
        return frozenset([self.status] if isinstance(self.status, str) else self.status or ())

    def __post_init__(self) -> None:
        """Check that there is a filter, and its values."""
        if all(getattr(self, name) is None for name in self.__struct_fields__):
            message = f"One of {', '.join(map(repr, self.__struct_encode_fields__))} is needed"
            raise errors.InvalidBody(message, field="workflowSlug")
        if self.status == []:
            raise errors.InvalidBody("'status' must name a status", field="status")
        if not self.statuses <= STATUSES:
            message = f"'status' must be one of {', '.join(sorted(STATUSES))}"
            raise errors.InvalidBody(message, field="status")
        if self.source is not None and self.source not in SOURCES:
            message = f"'source' must be one of {', '.join(sorted(SOURCES))}"
            raise errors.InvalidBody(message, field="source")
        if self.id_start is not None and ID_START.fullmatch(self.id_start) is None:
            raise errors.InvalidBody("'q' must be the start of an execution's id", field="q")
        if self.workflow_slug is not None:
            try:
                check_slug(self.workflow_slug)
            except errors.InvalidSlug:
                message = "'workflowSlug' must be a workflow's slug"
                raise errors.InvalidBody(message, field="workflowSlug") from None

    def read_filter(self) -> ExecutionFilter:
        """Return the filter. Raises InvalidBody for a wrong time."""
        return ExecutionFilter(
            statuses=[ExecutionStatus(each) for each in self.statuses],
            workflow_slug=self.workflow_slug,
            version=self.version,
            source=self.source,
            key_id=self.key_id,
            model_id=self.model_id,
            http_request_id=self.http_request_id,
            error_code=self.error_code,
            created_from=_read_moment("from", self.created_from),
            created_to=_read_moment("to", self.created_to),
            id_start=self.id_start or "",
        )


def _read_moment(name: str, value: Any) -> int | None:
    if value is None:
        return None
    at = parse_moment(value) if isinstance(value, str) else None
    if at is None:
        message = f"'{name}' must be a time with a zone, such as {CREATED}"
        raise errors.InvalidBody(message, field=name)
    return at


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
    store, account_id = request.services.store, principal.account.id
    found = await cancel_matching(store.executions, account_id, body.read_filter())
    return json_response(CancelledExecutions(cancelled=found.cancelled, more=found.is_more), 202)


routes = [Route("/api/executions/cancel", Resource(POST=cancel_executions))]
