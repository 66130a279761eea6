"""The audit log, for the browsers of admins."""

from typing import Annotated

from starlette.responses import Response
from starlette.routing import Route

from engine.errors import InvalidQuery
from engine.store import Principal
from gateway.auth.endpoints import admins_only, operation
from gateway.auth.resource import Resource
from gateway.http.query import ShortPageQuery
from gateway.http.responses import json_response
from gateway.http.types import OBJECT, Moment, Nested, View, doc
from gateway.openapi.examples import ACCOUNT_ID, CREATED
from gateway.services import GatewayRequest


class AuditEntryView(Nested):
    """An administrative act."""

    id: str
    at: Moment
    by: Annotated[str, doc("The id of the account that acted, or `command`.")]
    action: str
    subject: Annotated[str, doc("The id of the account, key or session, or the model's name.")]
    before: Annotated[OBJECT | None, doc("Changed members as they were; null: none.")]
    after: Annotated[OBJECT | None, doc("The same as it is since; null: nothing.")]


class AuditPage(View):
    """A page of the audit log."""

    rows: list[AuditEntryView]
    next_cursor: str | None


AuditPage.examples = (
    AuditPage(
        rows=[
            AuditEntryView(
                id="1764163608007-0-03",
                at=CREATED,
                by="command",
                action="account.change",
                subject=ACCOUNT_ID,
                before={"tier": "pro"},
                after={"tier": "business"},
            )
        ],
        next_cursor=None,
    ),
)


@operation(query=ShortPageQuery, answers={200: AuditPage}, errors=(InvalidQuery,))
@admins_only
async def list_audit(request: GatewayRequest, principal: Principal) -> Response:
    """The administrative acts of the installation, newest first, a page at a time."""
    query = ShortPageQuery.parse(request.scope)
    rows, next_cursor = await request.services.store.audit.page(
        limit=query.limit, after=query.cursor
    )
    shown = [AuditEntryView.from_record(each) for each in rows]
    return json_response(AuditPage(rows=shown, next_cursor=next_cursor))


routes = [Route("/api/admin/audit", Resource(GET=list_audit))]
