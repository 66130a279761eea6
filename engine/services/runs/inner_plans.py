"""Plans of the workflows that a run may call, for the estimate of its cost."""

from collections.abc import Iterable
from decimal import Decimal

from engine.billing.credits import estimate
from engine.errors import VersionNotFound, WorkflowNotFound
from engine.graph.inner_plans import NO_PLANS, InnerPlans, calls_of_plan
from engine.graph.plan import Plan
from engine.nodes.support.children import Callee
from engine.store import Store

MAX_PLANS = 100
"""Called workflows that an estimate counts."""


async def find_inner_plans(store: Store, owner_id: str, calls: Iterable[Callee]) -> InnerPlans:
    """Return the plans of workflows of an account, and of those that they call in turn.

    Workflows that are gone or cannot run are left out. The plans are those that this process knows:
    a workflow may have been published meanwhile by another one.
    """
    found: dict[Callee, Plan] = {}
    pending = sorted(set(calls), key=str)
    seen = set(pending)
    while pending and len(found) < MAX_PLANS:
        call = pending.pop()
        try:
            _, plan = await store.workflows.own_plan(owner_id, call.workflow, version=call.version)
        except (WorkflowNotFound, VersionNotFound):
            continue
        if plan is not None:
            found[call] = plan
            more = calls_of_plan(plan) - seen
            pending += sorted(more, key=str)
            seen |= more
    return found


async def inner_plans_of(store: Store, owner_id: str, plan: Plan) -> InnerPlans:
    """Return the plans of the workflows that a plan of an account calls, over any steps."""
    calls = calls_of_plan(plan) if plan.children else ()
    return await find_inner_plans(store, owner_id, calls) if calls else NO_PLANS


async def estimate_workflow(store: Store, owner_id: str, plan: Plan, markup: Decimal) -> int:
    """Return the most credits of a run without inputs, with the workflows that it calls."""
    return estimate(plan, markup, await inner_plans_of(store, owner_id, plan))
