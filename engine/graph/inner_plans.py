"""Plans that the nodes of a plan run as children: of their bodies, and of called workflows."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from engine.graph.plan import Node, Plan
from engine.nodes.agents.rounds_node import RoundsNode
from engine.nodes.support.children import Callee, ChildrenNode

InnerPlans = Mapping[Callee, Plan]
"""Plans of called workflows, as far as they are there."""
NO_PLANS: InnerPlans = MappingProxyType({})
CALLS = "engine.graph.inner_plans.calls"


def callee_of(node: Node) -> Callee | None:
    """Return the workflow that a node calls; None: it calls none."""
    return node.type.callee(node.settings) if isinstance(node.type, ChildrenNode) else None


def calls_of_plan(plan: Plan) -> frozenset[Callee]:
    """Return the workflows that nodes which may run call, in bodies too; made once for a plan."""
    if CALLS not in plan.derived:
        plan.derived[CALLS] = frozenset(_find_calls(plan))
    calls: frozenset[Callee] = plan.derived[CALLS]
    return calls


def depends_on_models(plan: Plan) -> bool:
    """Whether nodes of the plan or of its bodies have settings of the registry of models."""
    nodes = [plan.nodes[index] for index in plan.children]
    inside = [body for node in nodes for body in (node.body, *node.parts.values()) if body]
    return bool(plan.models) or any(map(depends_on_models, inside))


def inner_plan(node: Node, inner: InnerPlans) -> Plan | None:
    """Return the plan that a node runs; None: it is not there, or the node has no children."""
    callee = callee_of(node)
    return node.body if callee is None else inner.get(callee)


def plans_inside(node: Node, inner: InnerPlans) -> list[Plan]:
    """Return all plans that children of a node may run, as far as they are there."""
    if not isinstance(node.type, RoundsNode):
        found = inner_plan(node, inner)
        return [] if found is None else [found]
    called = (inner.get(callee) for callee in node.type.callees(node.settings))
    return [*node.parts.values(), *(plan for plan in called if plan is not None)]


def _find_calls(plan: Plan) -> Iterator[Callee]:
    for node in (plan.nodes[index] for index in plan.children):
        if isinstance(node.type, RoundsNode):
            yield from node.type.callees(node.settings)
        elif node.body is not None:
            yield from calls_of_plan(node.body)
        elif (callee := callee_of(node)) is not None:
            yield callee
