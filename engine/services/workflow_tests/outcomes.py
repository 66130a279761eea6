"""Outcomes of the runs of tests, as expectations and judges see them."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from engine.executions.execution import Execution
from engine.graph.plan_digest import is_plan_of
from engine.services.runs.node_values import read_all_outputs
from engine.services.runs.recorded_plans import read_plan
from engine.store import Store

NODES = re.compile(r"\bnodes\b")
"""Name that stands for the nodes, whose outputs are read only for expressions that have it."""


def names_nodes(expressions: Iterable[str]) -> bool:
    """Return whether one of the expressions may look at nodes."""
    return any(NODES.search(each) for each in expressions)


async def read_outcome(store: Store, execution: Execution, *, with_nodes: bool) -> dict[str, Any]:
    """Return the values of an ended execution by the names of expressions.

    Raises ResultUnreadable or Unavailable.
    """
    return {
        "result": execution.result,
        "cost": execution.credits_cost,
        "ms": execution.duration_ms or 0,
        "status": execution.status.value,
        "nodes": await _read_nodes(store, execution) if with_nodes else {},
    }


async def _read_nodes(store: Store, execution: Execution) -> Mapping[str, Any]:
    account_id = execution.account_id
    record = await store.executions.record(account_id, execution.id)
    plan = await read_plan(store, account_id, execution.id, record)
    if plan is None or not is_plan_of(plan, record):
        return {}
    outputs = await read_all_outputs(store, account_id, execution.id, plan, record)
    return {
        plan.nodes[each.index].id: {
            "status": each.status.value,
            "outputs": dict(outputs.get(each.index, {})),
            "creditsCost": each.credits_cost,
        }
        for each in execution.nodes
    }
