"""Cost estimate of nodes with children: that of the plans which they run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from engine.billing.cost_estimate import CostEstimate, of_child, of_defaults
from engine.executions.run_depth import MAX_DEPTH
from engine.graph.inner_plans import InnerPlans, inner_plan, plans_inside
from engine.graph.plan import Node, Plan
from engine.models.manifest import Model
from engine.models.pricing import Usage, cost_micro_usd, credits_for
from engine.models.registry import find_model
from engine.nodes.agents.agent import Agent
from engine.nodes.agents.parts import PartKind
from engine.nodes.for_each import ForEach
from engine.nodes.support.children import ChildrenNode

PER_ITEM = (ForEach, Agent)
"""Node types of which the estimate counts one item, or one turn."""


@dataclass(slots=True, kw_only=True)
class PlanCosts:
    """Costs of plans with those of their children, of which each plan is estimated once.

    A For Each costs as much as one item, and an agent as much as one turn of its model. The inputs
    of a child are known as far as those of the outermost plan determine them; further inside, the
    defaults count.
    """

    inner: InnerPlans
    markup: Decimal
    free: frozenset[str] = frozenset()
    """Models that cost nothing."""
    _totals: dict[tuple[int, int], int] = field(default_factory=dict)

    def of_nodes(self, plan: Plan, estimate: CostEstimate, depth: int = 0) -> dict[int, int]:
        """Return the most credits of each charged node, and of each with charged children."""
        costs = dict(self._own_costs(plan, estimate))
        if depth < MAX_DEPTH:
            for index in plan.children:
                node = plan.nodes[index]
                inside = _counted_plan(node, self.inner)
                if inside is not None and charged_models(inside, self.inner):
                    costs[index] = self._of_children(node, inside, estimate, depth)
        return costs

    def total(self, plan: Plan, estimate: CostEstimate, depth: int = 0) -> int:
        """Return the most credits of a run of a plan."""
        return sum(self.of_nodes(plan, estimate, depth).values())

    def _own_costs(self, plan: Plan, estimate: CostEstimate) -> Iterator[tuple[int, int]]:
        for index, name in plan.models.items():
            model = find_model(name)
            if model is not None:
                usage = estimate.usage(index, model)
                yield index, 0 if name in self.free else model_credits(model, usage, self.markup)

    def _of_children(self, node: Node, inside: Plan, estimate: CostEstimate, depth: int) -> int:
        if depth == 0:
            known = _child_inputs(node, inside, estimate)
            if known:
                return self.total(inside, of_child(inside, known), depth + 1)
        place = id(inside), depth
        if place not in self._totals:
            self._totals[place] = self.total(inside, of_defaults(inside), depth + 1)
        return self._totals[place]


def model_credits(model: Model, usage: Usage, markup: Decimal) -> int:
    """Return the credits of this much usage of a model."""
    return credits_for(cost_micro_usd(model.pricing, usage), markup)


def charged_models(plan: Plan, inner: InnerPlans) -> frozenset[str]:
    """Return the internal names of the models that a run of a plan and its children may call."""
    return frozenset(name for each in _all_plans(plan, inner) for name in each.models.values())


def per_item_nodes(plan: Plan, inner: InnerPlans) -> list[str]:
    """Return the ids of the charged nodes of which the estimate counts one item."""
    return [
        plan.nodes[index].id for index in plan.children if _is_per_item(plan.nodes[index], inner)
    ]


def _is_per_item(node: Node, inner: InnerPlans) -> bool:
    if not _is_charged(node, inner):
        return False
    return isinstance(node.type, PER_ITEM) or any(
        isinstance(each.nodes[index].type, PER_ITEM) and _is_charged(each.nodes[index], inner)
        for inside in plans_inside(node, inner)
        for each in _all_plans(inside, inner)
        for index in each.children
    )


def _is_charged(node: Node, inner: InnerPlans) -> bool:
    return any(charged_models(inside, inner) for inside in plans_inside(node, inner))


def _counted_plan(node: Node, inner: InnerPlans) -> Plan | None:
    """Return the plan of which the estimate of a node counts one run; None: there is none."""
    return node.parts.get(PartKind.TURN.value) if node.parts else inner_plan(node, inner)


def _all_plans(plan: Plan, inner: InnerPlans) -> list[Plan]:
    """Return a plan and those that its children run over any number of steps, each once."""
    found = {id(plan): plan}
    pending = [plan]
    while pending:
        outer = pending.pop()
        for index in outer.children:
            for inside in plans_inside(outer.nodes[index], inner):
                if id(inside) not in found:
                    found[id(inside)] = inside
                    pending.append(inside)
    return list(found.values())


def _child_inputs(node: Node, inside: Plan, estimate: CostEstimate) -> Mapping[str, Any]:
    """Return the inputs of one child of a node, as far as they are known."""
    if not isinstance(node.type, ChildrenNode):
        return {}
    inputs, _ = estimate.inputs(node)
    values = node.type.sample(node.settings, inputs, inside.fields)
    return {name: value for name, value in values.items() if value is not None}
