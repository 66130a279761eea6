"""Prices of an execution's nodes: credits reserved before they run, charged at their end."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from engine.billing.credits import node_credits
from engine.errors.nodes import NodeFailed
from engine.graph.plan import Plan
from engine.models.manifest import Model
from engine.models.pricing import Usage, cost_micro_usd, credits_for
from engine.models.registry import find_model
from engine.store.executions.claims import ClaimedExecution
from engine.store.executions.steps import Charge
from engine.store.executions.walks import Unpaid, Verdict


class Charging:
    """Prices one execution's nodes by the terms on its record."""

    __slots__ = ("_models", "_plan", "_record")

    def __init__(self, claimed: ClaimedExecution, plan: Plan) -> None:
        self._plan = plan
        self._record = claimed.record
        self._models: dict[int, Model] = {}
        """Model version of each reservation; the charge uses it although the model has changed."""

    @property
    def _markup(self) -> Decimal:
        return Decimal(self._record.get("markup", b"1").decode())

    @property
    def _trial_models(self) -> Sequence[str]:
        return self._record.get("tried", b"").decode().split(",")

    def reserve(self, index: int, inputs: Mapping[str, Any]) -> int:
        """Return the most credits that a node costs with these inputs."""
        model = find_model(self._plan.models[index])
        if model is not None:
            self._models[index] = model
        if self._plan.models[index] in self._trial_models:
            return 0
        return node_credits(self._plan, index, inputs, self._markup)

    def charge(self, index: int, usage: Usage, fallback_micro_usd: int = 0) -> Charge | None:
        """Return the charge for a node's usage; None when the node is not charged.

        `fallback_micro_usd` is the cost of other models that answered instead of the node's own.
        """
        name = self._plan.models.get(index)
        model = None if name is None else self._models.get(index) or find_model(name)
        if name is None or model is None:
            return None
        cost = cost_micro_usd(model.pricing, usage) + fallback_micro_usd
        if name in self._trial_models:
            return Charge(0, cost, name)
        return Charge(credits_for(cost, self._markup), cost)


def unpaid_failure(verdict: Verdict, unpaid: Unpaid) -> NodeFailed:
    """Return the failure of a node that could not be paid for; its code is in `MONEY_CODES`."""
    if verdict is Verdict.OVER:
        return NodeFailed("MAX_CREDITS_EXCEEDED", "The run would pass 'max_credits' here")
    message = f"This needs {unpaid.missing} credits more and the balance is {unpaid.balance}"
    return NodeFailed("INSUFFICIENT_CREDITS", message)
