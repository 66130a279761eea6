"""Quotes of runs in credits, before they start. One credit is 0.001 USD."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from engine.access.capabilities import EVERYTHING, Tier
from engine.access.tiers import TierTerms
from engine.billing.cost_estimate import of_defaults, of_run
from engine.billing.inner_costs import PlanCosts, charged_models, model_credits
from engine.errors import MaxCreditsExceeded, ModelNotFound, ModelTierRequired
from engine.graph.inner_plans import NO_PLANS, InnerPlans
from engine.graph.plan import Plan
from engine.models.manifest import Model, Trial
from engine.models.registry import find_model

MAX_CREDITS = 2**53 - 1
"""Largest integer that JSON and Lua represent exactly; a higher estimate counts as this."""
DAY_MS = 86_400_000
MONEY_CODES = frozenset({"INSUFFICIENT_CREDITS", "MAX_CREDITS_EXCEEDED"})
"""Codes of nodes and executions that failed for lack of credits."""
NOTHING: Mapping[str, Any] = MappingProxyType({})
RANKS = {tier: rank for rank, tier in enumerate(Tier)}


class LedgerKind(StrEnum):
    """Kinds of movements of credits."""

    ALLOWANCE = "allowance"
    TIER = "tier"
    TOP_UP = "top-up"
    LAPSE = "lapse"
    RESERVE = "reserve"
    CAPTURE = "capture"
    RELEASE = "release"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Limit and terms of an execution's cost, fixed when it is accepted."""

    credits: int
    """Estimate of the most that it costs."""
    markup: Decimal
    trials: Mapping[str, Trial]
    """Trials that make models free of charge, by internal name."""
    max_credits: int | None


def make_quote(
    plan: Plan,
    terms: TierTerms | None,
    max_credits: int | None,
    inputs: Mapping[str, Any] = NOTHING,
    inner: InnerPlans = NO_PLANS,
) -> Quote | None:
    """Return the quote of a run for an account with these terms; None if nothing is charged.

    Inputs that reach a charged node through pure nodes count with their true values and lengths.
    Children count with the plans in `inner`, those of a For Each as one item.

    Raises ModelNotFound, ModelTierRequired, or MaxCreditsExceeded if the estimate exceeds
    `max_credits`.
    """
    names = charged_models(plan, inner) if plan.children else frozenset(plan.models.values())
    if not names:
        return None
    if terms is None:
        raise ValueError("a run that is charged needs the terms of its account")
    trials = find_trials(names, terms)
    costs = PlanCosts(inner=inner, markup=terms.markup, free=frozenset(trials))
    total = min(costs.total(plan, of_run(plan, inputs)), MAX_CREDITS)
    if max_credits is not None and total > max_credits:
        message = f"The run may cost {total} credits, more than 'max_credits' allows"
        raise MaxCreditsExceeded(message, maxCredits=max_credits, estimate=total)
    return Quote(credits=total, markup=terms.markup, trials=trials, max_credits=max_credits)


def find_trials(names: Iterable[str], terms: TierTerms) -> Mapping[str, Trial]:
    """Return the trials that make some of these models free of charge, by internal name.

    Raises ModelNotFound or ModelTierRequired for a model that an account with these terms lacks.
    """
    trials: dict[str, Trial] = {}
    for name in names:
        model = _usable(name)
        if terms.trials and model.trial is not None:
            trials[name] = model.trial
        elif RANKS[terms.tier] < RANKS[model.tier] and EVERYTHING not in terms.ceiling:
            raise ModelTierRequired(name, model.tier.value, terms.tier.value)
    return trials


def estimate(plan: Plan, markup: Decimal, inner: InnerPlans = NO_PLANS) -> int:
    """Return the most credits of a run of the plan without inputs, disregarding trials.

    Missing models count 0.
    """
    total = PlanCosts(inner=inner, markup=markup).total(plan, of_defaults(plan))
    return min(total, MAX_CREDITS)


def estimate_nodes(
    plan: Plan,
    markup: Decimal,
    inputs: Mapping[str, Any] | None = None,
    inner: InnerPlans = NO_PLANS,
) -> dict[str, int]:
    """Return the highest cost of each charged node in credits, by node id, without trials.

    A node with children has the cost of them. Without `inputs`, their defaults count. Nodes whose
    models are gone are left out.
    """
    cost_estimate = of_defaults(plan) if inputs is None else of_run(plan, inputs)
    costs = PlanCosts(inner=inner, markup=markup).of_nodes(plan, cost_estimate)
    return {plan.nodes[index].id: min(cost, MAX_CREDITS) for index, cost in costs.items()}


def node_credits(plan: Plan, index: int, inputs: Mapping[str, Any], markup: Decimal) -> int:
    """Return the most credits of one run of a node with these inputs."""
    name = plan.models.get(index)
    model = None if name is None else find_model(name)
    if model is None:
        return 0
    node = plan.nodes[index]
    return model_credits(model, node.type.max_usage(node.settings, inputs), markup)


def trials_text(trials: Mapping[str, Trial]) -> str:
    """Encode trials as an argument of the script that accepts an execution."""
    return ",".join(f"{name}={_trial_text(trial)}" for name, trial in trials.items())


def _trial_text(trial: Trial) -> str:
    if trial.runs is not None:
        return f"r{trial.runs}"
    return f"d{int((trial.days or 0) * DAY_MS)}"


def _usable(name: str) -> Model:
    model = find_model(name)
    if model is None or not model.enabled:
        raise ModelNotFound
    return model
