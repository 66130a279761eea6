"""Ledger: every movement of the account's credits."""

import re
from typing import Annotated

from msgspec import UNSET, UnsetType, field
from starlette.responses import Response
from starlette.routing import Route

from engine.billing.credits import LedgerKind
from engine.errors import InvalidCursor, InvalidQuery, Unavailable
from engine.ids.executions import is_execution_id
from engine.store import LedgerEntry, Principal
from engine.store.archive.archive import LedgerFilter, StreamId
from engine.store.executions.record_fields import make_cursor, split_cursor
from gateway.auth.endpoints import any_key, in_turns, operation
from gateway.auth.resource import Resource
from gateway.http.query import ShortPageQuery
from gateway.http.responses import json_response
from gateway.http.types import Credits, Instant, Moment, Nested, Uuid, View, doc
from gateway.openapi.examples import CREATED, EXECUTION_ID
from gateway.services import GatewayRequest

NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)


class LedgerQuery(ShortPageQuery):
    """Query of the ledger."""

    execution_id: Annotated[Uuid | None, doc("Only movements of this execution.", EXECUTION_ID)] = (
        None
    )
    kind: Annotated[LedgerKind | None, doc("Only movements of this kind.", "top-up")] = None
    since: Annotated[
        Instant | None,
        doc("Only movements at this time or later.", CREATED),
    ] = field(default=None, name="from")
    until: Annotated[Instant | None, doc("Only movements before this time.", CREATED)] = field(
        default=None, name="to"
    )

    def __post_init__(self) -> None:
        """Check the id of the execution. Raises InvalidQuery."""
        if self.execution_id is not None and not is_execution_id(self.execution_id):
            raise InvalidQuery("executionId", "'executionId' must be the id of an execution")


class LedgerRow(Nested):
    """One movement of credits."""

    id: str
    at: Moment
    kind: Annotated[
        str,
        doc(
            "`allowance`, `tier`, `top-up` and `lapse` change the credits that there are;"
            " `reserve`, `capture` and `release` are of executions."
        ),
    ]
    credits: Annotated[int, doc("Change of the balance.")]
    balance: Annotated[Credits, doc("Balance after it.")]
    execution_id: Uuid | UnsetType = UNSET
    child_execution_id: Annotated[
        Uuid | UnsetType,
        doc("The execution below `executionId` whose node it is for; absent: it is its own."),
    ] = UNSET
    note: Annotated[str | UnsetType, doc("Note of a top-up.")] = UNSET


class LedgerPageView(View):
    """A page of the ledger."""

    rows: list[LedgerRow]
    next_cursor: str | None


LedgerPageView.examples = (
    LedgerPageView(
        [
            LedgerRow(
                id="1767268800000-0",
                at=CREATED,
                kind="reserve",
                credits=-13,
                balance=987,
                execution_id=EXECUTION_ID,
            )
        ],
        next_cursor=None,
    ),
)


@operation(
    query=LedgerQuery,
    answers={200: LedgerPageView},
    errors=(InvalidQuery, Unavailable),
)
@in_turns
@any_key
async def get_ledger(request: GatewayRequest, principal: Principal) -> Response:
    """Movements of the account's credits, newest first, a page at a time.

    What a run may cost is reserved when it is accepted, each node captures its price of that, which
    leaves the balance as it is, and the end releases the rest.
    """
    query = LedgerQuery.parse(request.scope)
    wanted = LedgerFilter(
        execution_id=query.execution_id, kind=query.kind, since=query.since, until=query.until
    )
    before = None if query.cursor is None else _parse(query.cursor)
    page = await request.services.store.ledgers.page(
        principal.account.id, wanted, before=before, limit=query.limit
    )
    rows = [_view(*each) for each in page.entries]
    last = None if page.last is None else make_cursor(page.last[0], str(page.last[1]))
    return json_response(LedgerPageView(rows, last))


def _parse(cursor: str) -> StreamId:
    """Return the place of a cursor. Raises InvalidCursor."""
    at, number = split_cursor(cursor)
    if NUMBER.fullmatch(number) is None:
        raise InvalidCursor
    return at, int(number)


def _view(place: StreamId, entry: LedgerEntry) -> LedgerRow:
    return LedgerRow.from_record(
        entry,
        id=f"{place[0]}-{place[1]}",
        execution_id=entry.execution_id or UNSET,
        child_execution_id=entry.child_id or UNSET,
        note=entry.note or UNSET,
    )


routes = [Route("/api/ledger", Resource(GET=get_ledger))]
