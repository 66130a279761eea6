"""Credits: what a run may cost, before it starts. One credit is 0.001 USD."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from engine.access.capabilities import EVERYTHING, Tier
from engine.access.tiers import TierTerms
from engine.billing.cost_estimate import CostEstimate, of_defaults, of_run
from engine.errors import MaxCreditsExceeded, ModelNotFound, ModelTierRequired
from engine.graph.plan import Plan
from engine.models.manifest import Model, Trial
from engine.models.pricing import Usage, cost_micro_usd, credits_for
from engine.models.registry import find_model

MAX_CREDITS = 2**53 - 1
"""As large as a number of JSON, and of a script, is exact."""
DAY_MS = 86_400_000
MONEY_CODES = frozenset({"INSUFFICIENT_CREDITS", "MAX_CREDITS_EXCEEDED"})
"""What a node fails with, and its execution, when it cannot be paid for."""
NOTHING: Mapping[str, Any] = MappingProxyType({})
RANKS = {tier: rank for rank, tier in enumerate(Tier)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What an execution may spend, and on what terms; frozen when it is accepted."""

    credits: int
    """The most that it costs, as far as is known beforehand."""
    markup: Decimal
    trials: Mapping[str, Trial]
    """Models that cost nothing because a trial is used for them, by internal name."""
    max_credits: int | None


def make_quote(
    plan: Plan,
    terms: TierTerms | None,
    max_credits: int | None,
    inputs: Mapping[str, Any] = NOTHING,
) -> Quote | None:
    """The quote of a plan for an account of these terms; None when nothing in it is charged.

    What of a run's inputs comes to a charged node through nodes that only put values together
    counts as it is given, lists as long as they will be.

    Raises ModelNotFound, ModelTierRequired, or MaxCreditsExceeded when the estimate is over
    `max_credits`.
    """
    if not plan.models:
        return None
    if terms is None:
        raise ValueError("a run that is charged needs the terms of its account")
    trials: dict[str, Trial] = {}
    for name in set(plan.models.values()):
        model = _usable(name)
        if terms.trials and model.trial is not None:
            trials[name] = model.trial
        elif RANKS[terms.tier] < RANKS[model.tier] and EVERYTHING not in terms.ceiling:
            raise ModelTierRequired(name, model.tier.value, terms.tier.value)
    costs = _costs(plan, terms.markup, of_run(plan, inputs))
    total = sum(cost for name, cost in costs if name not in trials)
    if max_credits is not None and total > max_credits:
        message = f"The run may cost {total} credits, more than 'max_credits' allows"
        raise MaxCreditsExceeded(message, maxCredits=max_credits, estimate=total)
    return Quote(credits=total, markup=terms.markup, trials=trials, max_credits=max_credits)


def estimate(plan: Plan, markup: Decimal) -> int:
    """What a run of the plan without inputs may cost in credits, trials aside.

    Models that are gone count 0.
    """
    return sum(cost for _, cost in _costs(plan, markup, of_defaults(plan)))


def node_credits(plan: Plan, index: int, inputs: Mapping[str, Any], markup: Decimal) -> int:
    """The most that one run of a node with these inputs costs."""
    name = plan.models.get(index)
    model = None if name is None else find_model(name)
    if model is None:
        return 0
    node = plan.nodes[index]
    return _credits(model, node.type.max_usage(node.settings, inputs), markup)


def trials_text(trials: Mapping[str, Trial]) -> str:
    """The trials as the accepting script takes them."""
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


def _costs(plan: Plan, markup: Decimal, cost_estimate: CostEstimate) -> Iterator[tuple[str, int]]:
    for index, name in plan.models.items():
        model = find_model(name)
        if model is not None:
            yield name, _credits(model, cost_estimate.usage(index, model), markup)


def _credits(model: Model, usage: Usage, markup: Decimal) -> int:
    return credits_for(cost_micro_usd(model.pricing, usage), markup)
