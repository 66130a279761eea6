"""Quotes: estimated costs, tiers of models, and refusals before the start."""

from collections.abc import Iterator
from typing import Any

import pytest

from engine.access.capabilities import Role, Tier
from engine.access.tiers import TierTerms, load
from engine.billing.credits import estimate, make_quote, node_credits, trials_text
from engine.errors import MaxCreditsExceeded, ModelNotFound, ModelTierRequired
from engine.graph.plan import Plan, compile_plan
from engine.models.manifest import Model, Trial
from engine.models.registry import use_models
from tests.support.factories import Graph, greeting
from tests.support.manifests import ANSWER, PROMPT, model

HALF_A_DOLLAR = '[[pricing]]\nunit = "call"\nusd = "0.5"\n'
CHEAP = model("cheap")
GRAND = model("grand", tier="business", pricing=HALF_A_DOLLAR)
TRIED = model("tried", tier="business", call=ANSWER + "[trial]\nruns = 3\n")
TIMED = model("timed", call=ANSWER + "[trial]\ndays = 0.5\n")
FILM = model(
    "film",
    category="video",
    fields=PROMPT + '[[fields]]\nname = "seconds"\ntype = "number"\ndefault = 5\nmax = 10\n',
    pricing='[[pricing]]\nunit = "second"\nusd = "0.1"\nfield = "seconds"\n',
)


@pytest.fixture(autouse=True)
def models() -> Iterator[None]:
    with use_models([CHEAP, GRAND, TRIED, TIMED, FILM]):
        yield


def terms(tier: Tier, role: Role = Role.USER) -> TierTerms:
    return load().terms(tier, role)


def plan(*names: str) -> Plan:
    """Return a plan with a node for each model, and an unreachable one."""
    graph = Graph().node("out", "responseOutput")
    for number, name in enumerate(names):
        graph.node(f"m{number}", "customModel", model=name, prompt="hello")
        graph.wire(f"m{number}.text-out > out.result-in")
    graph.node("aside", "customModel", model="grand", prompt="unused")
    return compile_plan(graph.nodes, graph.edges)


def test_a_plan_without_models_has_no_quote() -> None:
    graph = greeting()

    assert make_quote(compile_plan(graph.nodes, graph.edges), terms(Tier.PRO), 0) is None


def test_each_node_that_leads_to_the_output_counts_with_the_tiers_markup() -> None:
    quote = make_quote(plan("cheap", "cheap", "grand"), terms(Tier.BUSINESS), None)

    assert quote is not None
    assert quote.credits == 12 + 12 + 600
    assert estimate(plan("cheap"), terms(Tier.PRO).markup) == 13


def test_a_list_that_is_wired_in_costs_as_much_as_it_has_items() -> None:
    made = plan("cheap")
    index = next(iter(made.models))

    assert node_credits(made, index, {"prompt-in": ["a", "b", "c"]}, terms(Tier.PRO).markup) == 39


def test_a_model_above_the_tier_is_refused_but_to_admins() -> None:
    with pytest.raises(ModelTierRequired) as refused:
        make_quote(plan("grand"), terms(Tier.PRO), None)

    assert refused.value.context == {"model": "grand", "required": "business", "tier": "pro"}
    assert make_quote(plan("grand"), terms(Tier.PRO, Role.ADMIN), None) is not None


def test_a_trial_opens_a_model_above_the_tier_and_costs_nothing() -> None:
    quote = make_quote(plan("tried", "tried", "cheap"), terms(Tier.FREE), None)

    assert quote is not None
    assert quote.credits == 15
    assert dict(quote.trials) == {"tried": Trial(runs=3)}


def test_a_tier_without_trials_pays_for_what_others_try() -> None:
    quote = make_quote(plan("timed"), terms(Tier.PRO), None)

    assert quote is not None
    assert (quote.credits, dict(quote.trials)) == (13, {})


def test_trials_are_told_by_runs_and_by_time() -> None:
    text = trials_text({"tried": Trial(runs=3), "timed": Trial(days=0.5)})

    assert text == "tried=r3,timed=d43200000"


@pytest.mark.parametrize("max_credits", [13, 14])
def test_an_estimate_up_to_the_most_allowed_is_let_through(max_credits: int) -> None:
    assert make_quote(plan("cheap"), terms(Tier.PRO), max_credits) is not None


@pytest.mark.parametrize("max_credits", [0, 12])
def test_an_estimate_over_the_most_allowed_is_refused(max_credits: int) -> None:
    with pytest.raises(MaxCreditsExceeded) as refused:
        make_quote(plan("cheap"), terms(Tier.PRO), max_credits)

    assert refused.value.context == {"maxCredits": max_credits, "estimate": 13}


@pytest.mark.parametrize("left", [[], [model("cheap", head="enabled = false")]])
def test_a_model_that_is_gone_or_disabled_cannot_be_run(left: list[Model]) -> None:
    made = plan("cheap")

    with use_models(left), pytest.raises(ModelNotFound):
        make_quote(made, terms(Tier.PRO), None)


def test_what_is_charged_needs_terms() -> None:
    with pytest.raises(ValueError, match="terms"):
        make_quote(plan("cheap"), None, None)


# -- inputs that go straight to a charged node -----------------------------------------------------


def film(*, through: bool = False) -> Plan:
    """Return a plan whose form gives the seconds of a film, directly or by another node."""
    fields = [
        {"name": "text", "type": "text", "default": "a mill"},
        {"name": "seconds", "type": "number", "default": 2, "max": 10},
    ]
    graph = (
        Graph()
        .node("in", "requestInput", fields=fields)
        .node("same", "transform", expression="value")
        .node("m", "customModel", model="film")
        .node("out", "responseOutput")
        .wire("in.text > m.prompt-in", "m.video-out > out.result-in", "in.params > same.value-in")
        .wire("same.value-out > m.params-in" if through else "in.params > m.params-in")
    )
    return compile_plan(graph.nodes, graph.edges)


@pytest.mark.parametrize(
    ("inputs", "credits"),
    [({"text": "a", "seconds": 8}, 1_040), ({"text": "a", "seconds": 2}, 260), ({}, 650)],
)
def test_a_run_is_quoted_by_what_it_is_given(inputs: dict[str, Any], credits: int) -> None:
    quote = make_quote(film(), terms(Tier.PRO), None, inputs)

    assert quote is not None and quote.credits == credits


def test_what_another_node_may_change_is_quoted_as_the_model_has_it() -> None:
    quote = make_quote(film(through=True), terms(Tier.PRO), None, {"text": "a", "seconds": 8})

    assert quote is not None and quote.credits == 650


def test_what_is_given_can_be_more_than_a_caller_allows() -> None:
    given = {"text": "a", "seconds": 8}

    assert make_quote(film(), terms(Tier.PRO), 1_040, given) is not None
    with pytest.raises(MaxCreditsExceeded) as refused:
        make_quote(film(), terms(Tier.PRO), 1_039, given)
    assert refused.value.context["estimate"] == 1_040


def test_an_estimate_is_of_the_defaults_of_the_form() -> None:
    assert estimate(film(), terms(Tier.PRO).markup) == 260
    assert estimate(film(through=True), terms(Tier.PRO).markup) == 650
