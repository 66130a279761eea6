"""Statuses of an execution in which nodes are settled from the start."""

from collections.abc import Mapping

from engine.executions.statuses import NodeStatus
from engine.graph.plan import Plan


def seeded_statuses(plan: Plan, settled: Mapping[int, NodeStatus]) -> list[NodeStatus]:
    """Return the first status of each node, in plan order.

    Nodes that are needed for nothing but settled ones are skipped.
    """
    goal = plan.response_output if plan.result_node is None else plan.result_node
    needed: set[int] = set()
    pending = [] if goal is None else [goal]
    while pending:
        index = pending.pop()
        if index not in needed and index not in settled:
            needed.add(index)
            pending.extend(plan.nodes[index].dependencies)
    return [_status(plan, index, settled, index in needed) for index in range(len(plan.nodes))]


def _status(
    plan: Plan, index: int, settled: Mapping[int, NodeStatus], is_needed: bool
) -> NodeStatus:
    if is_needed:
        return NodeStatus.PENDING
    return settled.get(index, NodeStatus.SKIPPED) if index in plan.reachable else NodeStatus.SKIPPED
