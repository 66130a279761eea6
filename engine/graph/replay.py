"""Replay of pure nodes: the outputs of a run whose record leaves them out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from engine.errors.nodes import NodeFailed
from engine.executions.statuses import NodeStatus
from engine.graph.plan import Plan
from engine.graph.progress import Progress, initial_statuses
from engine.nodes.support.base import Context, InEdge, Outputs


@dataclass(slots=True)
class PureContext:
    """Context of a pure node, which reads these two members and makes no calls."""

    inputs: Mapping[str, Any]
    delivered: Sequence[tuple[InEdge, Any]]


async def replay(plan: Plan, inputs: Mapping[str, Any]) -> dict[int, Outputs]:
    """Return the outputs of the nodes of a pure plan, by index.

    A node that fails, as it may after an update of Headrace, and nodes after it have none.
    """
    progress, outputs = Progress(plan, initial_statuses(plan)), dict[int, Outputs]()
    while progress.ready:
        index = progress.ready.pop(0)
        delivered, node = progress.delivered(index), plan.nodes[index]
        context = cast(Context, PureContext(inputs, delivered))
        try:
            values = progress.inputs(index, delivered)
            outputs[index] = await node.type.run(node.settings, values, context)
        except NodeFailed:
            continue
        progress.settle(index, NodeStatus.COMPLETED, outputs[index])
    return outputs
