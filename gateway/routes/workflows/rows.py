"""Rows of workflows, in lists and in events."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Self

from msgspec import field

from engine.errors import WorkflowNotFound
from engine.executions.statuses import ExecutionStatus
from engine.services.runs.inner_plans import estimate_workflow
from engine.services.workflows.covers import cover_url
from engine.store import Principal, WorkflowSummary
from gateway.http.types import Content, Credits, Moment, Nested, View, doc
from gateway.openapi.examples import ACCOUNT_ID, CREATED
from gateway.routes.workflows.documents import ABOUT
from gateway.services import Services


class LastRunView(Nested):
    """The run that was accepted last."""

    at: Moment
    status: ExecutionStatus
    credits_cost: Annotated[int, doc("0 before it has ended.")]


class WorkflowRow(View):
    """A workflow in a list; another account's template has no owner and no runs."""

    slug: str
    name: str
    description: str
    tags: Sequence[str]
    is_template: bool
    hidden: bool
    archived: bool
    cover: str | None
    created_by: str | None
    estimated_credit_cost: Credits
    folder_id: str | None
    updated_at: Moment
    version: Annotated[int | None, doc("The live one; null: it was never published.")]
    has_draft: bool
    public_playground: bool
    cover_url: Annotated[str | None, doc("A link to the cover that is valid for a day.")]
    last_run: LastRunView | None
    runs_7d: Annotated[
        int, doc("Runs that were accepted on this day (UTC) and the six before it.")
    ] = field(name="runs7d")

    @classmethod
    def from_record(cls, record: WorkflowSummary, *, is_own: bool = True, **members: Any) -> Self:
        """Build the row of a workflow; its owner alone sees private members."""
        last_run = record.last_run if is_own else None
        return super().from_record(
            record,
            created_by=record.account_id if is_own else None,
            folder_id=record.folder_id if is_own else None,
            version=record.version or None,
            has_draft=record.has_draft and is_own,
            last_run=None if last_run is None else LastRunView.from_record(last_run),
            runs_7d=record.runs_of_7_days if is_own else 0,
            **members,
        )


class WorkflowPageView(View):
    """A page of workflows, newest first."""

    rows: list[WorkflowRow]
    next_cursor: str | None


WORKFLOW_LIST = Content(
    component="WorkflowList",
    kind=list[WorkflowRow],
    examples=(
        [
            WorkflowRow(
                slug="greeting",
                **ABOUT,
                is_template=False,
                hidden=False,
                archived=False,
                cover=None,
                created_by=ACCOUNT_ID,
                estimated_credit_cost=0,
                folder_id=None,
                updated_at=CREATED,
                version=3,
                has_draft=False,
                public_playground=False,
                cover_url=None,
                last_run=LastRunView(at=CREATED, status=ExecutionStatus.COMPLETED, credits_cost=12),
                runs_7d=40,
            )
        ],
    ),
)
WorkflowPageView.examples = (
    WorkflowPageView(rows=WORKFLOW_LIST.examples[0], next_cursor="MTc2NDI2Njc3MTAwMDplY2hv"),
)


async def make_rows(
    services: Services, principal: Principal, summaries: Sequence[WorkflowSummary]
) -> list[WorkflowRow]:
    """Return the rows of workflows as an account sees them."""
    covers = await asyncio.gather(
        *(cover_url(services.store, services.media_service, each) for each in summaries)
    )
    return [
        WorkflowRow.from_record(
            summary,
            is_own=summary.account_id == principal.account.id,
            estimated_credit_cost=await _estimate(services, principal, summary),
            cover_url=link,
        )
        for summary, link in zip(summaries, covers, strict=True)
    ]


async def _estimate(services: Services, principal: Principal, summary: WorkflowSummary) -> int:
    # A charged node names its model; without one, the estimate needs no plan.
    if not summary.has_models or not summary.version:
        return 0
    await asyncio.sleep(0)  # other requests get their turn between many plans
    workflows = services.store.workflows
    try:
        _, plan = await workflows.plan_of(summary.account_id, summary.slug, summary.version)
    except WorkflowNotFound:
        return 0  # it cannot run any more, or is gone by now
    return await estimate_workflow(services.store, summary.account_id, plan, principal.terms.markup)
