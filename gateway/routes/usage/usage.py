"""Usage: executions of the caller's account and their cost."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Self

from msgspec import UNSET, Meta, UnsetType
from starlette.responses import Response
from starlette.routing import Route

from engine.errors import InvalidQuery
from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.models.pricing import MICRO
from engine.store import ExecutionFilter, Principal
from gateway.auth.endpoints import any_key, in_turns, operation
from gateway.auth.resource import Resource
from gateway.http.query import MAX_NUMBER, ModelName, PageQuery, Slug
from gateway.http.responses import json_response
from gateway.http.types import Amount, Credits, Moment, Nested, Uuid, View, doc, exact_amount
from gateway.openapi.examples import ACCOUNT_ID, CREATED, EXECUTION_ID
from gateway.runs.tags import WantedTags
from gateway.services import GatewayRequest


class UsageQuery(PageQuery):
    """Query of the usage; a cursor excludes an offset."""

    status: Annotated[
        ExecutionStatus | None,
        doc("Only executions with this status.", "completed"),
    ] = None
    model_id: Annotated[
        ModelName | None, doc("Only executions that called this model.", "echo")
    ] = None
    workflow_slug: Annotated[Slug | None, doc("Only executions of this workflow.", "greeting")] = (
        None
    )
    tag: Annotated[
        WantedTags | None, doc("Only executions with this tag, or with all of these.", ["nightly"])
    ] = None
    offset: Annotated[
        int,
        Meta(
            ge=0,
            le=MAX_NUMBER,
            description="Rows to leave out, the newest first.",
            examples=[50],
        ),
    ] = 0

    def __post_init__(self) -> None:
        """Check that there is no offset beside a cursor. Raises InvalidQuery."""
        if self.cursor is not None and self.offset:
            raise InvalidQuery("offset", "'offset' does not go with 'cursor'")


class UsageRow(Nested):
    """An execution and its cost: the provider's price, that after the markup, and the credits."""

    id: Uuid
    user_id: str
    workflow_slug: str | None
    model_ids: Sequence[str]
    status: ExecutionStatus
    source: str
    cost: Annotated[Amount, doc("Price of the providers, in USD.")]
    user_cost: Annotated[Amount, doc("The same after the tier's markup.")]
    credits_cost: Credits
    duration_ms: int | None
    error_code: str | None
    request_id: str
    created_at: Moment

    @classmethod
    def from_record(cls, record: Execution, **members: Any) -> Self:
        """Build the row of an execution."""
        cost = Decimal(record.micro_usd) / MICRO
        members |= {
            "user_id": record.account_id,
            "workflow_slug": record.workflow_slug or None,
            "cost": exact_amount(cost),
            "user_cost": exact_amount(cost * record.markup),
            "error_code": (record.error or {}).get("code"),
            "request_id": record.id,
        }
        return super().from_record(record, **members)


class UsagePageView(View):
    """A page of usage."""

    rows: list[UsageRow]
    page: int
    page_size: int
    total: int
    total_is_exact: Annotated[
        bool | UnsetType, doc("False when there may be more matches than `total`.")
    ] = UNSET
    next_cursor: Annotated[
        str | UnsetType, doc("Continues the page where `total` is not exact.")
    ] = UNSET


UsagePageView.examples = (
    UsagePageView(
        rows=[
            UsageRow(
                id=EXECUTION_ID,
                user_id=ACCOUNT_ID,
                workflow_slug=None,
                model_ids=["echo"],
                status=ExecutionStatus.COMPLETED,
                source="api-slim",
                cost=Decimal("0.01"),
                user_cost=Decimal("0.013"),
                credits_cost=13,
                duration_ms=31,
                error_code=None,
                request_id=EXECUTION_ID,
                created_at=CREATED,
            )
        ],
        page=1,
        page_size=50,
        total=1,
    ),
)


@operation(
    query=UsageQuery,
    answers={200: UsagePageView},
    errors=(InvalidQuery,),
)
@in_turns
@any_key
async def get_usage(request: GatewayRequest, principal: Principal) -> Response:
    """The account's executions and their cost, newest first, a page at a time."""
    query = UsageQuery.parse(request.scope)
    wanted = ExecutionFilter(
        statuses=() if query.status is None else (query.status,),
        model_id=query.model_id,
        workflow_slug=query.workflow_slug,
        tags=query.tag or (),
    )
    usage = request.services.store.usage
    page = await usage.page(
        principal.account.id,
        wanted,
        limit=query.limit,
        offset=query.offset,
        cursor=query.cursor,
    )
    return json_response(
        UsagePageView(
            rows=[UsageRow.from_record(row) for row in page.rows],
            page=page.offset // query.limit + 1,
            page_size=query.limit,
            total=page.total,
            total_is_exact=UNSET if page.is_exact else False,
            next_cursor=page.next_cursor or UNSET,
        )
    )


routes = [Route("/api/usage", Resource(GET=get_usage))]
