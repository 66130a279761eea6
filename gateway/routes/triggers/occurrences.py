"""Occurrences of a trigger: each due time and each event, with its outcome."""

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import UNSET, UnsetType, field
from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.errors import NotFound
from engine.store import Principal
from engine.triggers.occurrences import OccurrenceStatus
from engine.triggers.trigger import TriggerKind
from gateway.auth.endpoints import checked_by_handler, in_turns, operation, requires
from gateway.auth.resource import Resource
from gateway.http.query import ShortPageQuery
from gateway.http.responses import json_response
from gateway.http.types import View, doc
from gateway.routes.triggers.views import EXAMPLE_FAILURE, OccurrenceView
from gateway.services import GatewayRequest
from gateway.triggers.access import RUN, find_trigger


class OccurrencesQuery(ShortPageQuery):
    """Query of a page of occurrences."""

    status: Annotated[
        OccurrenceStatus | None, doc("Only occurrences of this status.", "failed")
    ] = None


class OccurrencePageView(View):
    """A page of occurrences, newest first."""

    rows: Sequence[OccurrenceView]
    next_cursor: str | None


class OccurrenceDetails(OccurrenceView, kw_only=True):
    """An occurrence; that of an event has the event for as long as it is kept."""

    body: Annotated[
        Any, doc("Body of the event as parsed; null where it is not kept, absent of a schedule.")
    ] = UNSET
    event_headers: Annotated[dict[str, str] | None | UnsetType, doc("As `body`.")] = field(
        default=UNSET, name="headers"
    )


@operation(
    query=OccurrencesQuery,
    answers={200: OccurrencePageView},
    errors=(errors.InvalidQuery, errors.TriggerNotFound),
)
@in_turns
@checked_by_handler
@requires(RUN, also="workflow:write")
async def list_occurrences(request: GatewayRequest, principal: Principal) -> Response:
    """The occurrences of a trigger, newest first, a page at a time."""
    query = OccurrencesQuery.parse(request.scope)
    trigger = await find_trigger(request, principal)
    page = await request.services.store.occurrences.list(
        principal.account.id, trigger.id, query.status, query.limit, query.cursor
    )
    rows = [OccurrenceView.from_occurrence(each) for each in page.occurrences]
    return json_response(OccurrencePageView(rows, page.next_cursor))


@operation(answers={200: OccurrenceDetails}, errors=(errors.TriggerNotFound, errors.NotFound))
@checked_by_handler
@requires(RUN, also="workflow:write")
async def get_occurrence(request: GatewayRequest, principal: Principal) -> Response:
    """One occurrence, with the event of an inbound webhook while it is kept."""
    trigger = await find_trigger(request, principal)
    occurrences, account_id = request.services.store.occurrences, principal.account.id
    occurrence = await occurrences.get(account_id, trigger.id, request.path_params["occurrence_id"])
    if occurrence is None:
        raise NotFound("Occurrence not found")
    body: Any = UNSET
    headers: Any = UNSET
    if trigger.kind is TriggerKind.WEBHOOK:
        event = await occurrences.event(account_id, occurrence)
        body, headers = (None, None) if event is None else (event.body, event.headers)
    view = OccurrenceDetails.from_occurrence(occurrence, body=body, event_headers=headers)
    return json_response(view)


OccurrencePageView.examples = (
    OccurrencePageView([OccurrenceView.from_occurrence(EXAMPLE_FAILURE)], None),
)
OccurrenceDetails.examples = (
    OccurrenceDetails.from_occurrence(
        EXAMPLE_FAILURE,
        body={"action": "opened"},
        event_headers={"x-github-event": "issues"},
    ),
)
routes = [
    Route("/api/triggers/{trigger_id}/occurrences", Resource(GET=list_occurrences)),
    Route("/api/triggers/{trigger_id}/occurrences/{occurrence_id}", Resource(GET=get_occurrence)),
]
