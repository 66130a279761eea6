"""Estimates and quotes of workflows whose nodes have children."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from engine.access.capabilities import Role, Tier
from engine.access.tiers import load
from engine.billing.credits import MAX_CREDITS, estimate, estimate_nodes, make_quote
from engine.billing.inner_costs import charged_models, per_item_nodes
from engine.errors import ModelNotFound, ModelTierRequired
from engine.executions.statuses import NodeStatus
from engine.graph.inner_plans import InnerPlans
from engine.graph.plan import Plan, compile_plan
from engine.models.registry import use_models
from engine.nodes.support.children import Callee
from engine.store.executions.start import Start
from tests.support.factories import Graph, greeting
from tests.support.graphs.nested import calling, each_row
from tests.support.manifests import ANSWER, model
from tests.support.models.agent_models import COST, agent_model

PRO = load().terms(Tier.PRO, Role.USER)
FREE = load().terms(Tier.FREE, Role.USER)
ONE = Decimal(1)
GRAND_PRICE = '[[pricing]]\nunit = "call"\nusd = "0.5"\n'
PER_TOKEN = '[[pricing]]\nunit = "input_tokens"\nusd = "0.001"\nper = 1\n'
ROW = [{"name": "row", "type": "text"}]


@pytest.fixture(autouse=True)
def models() -> Iterator[None]:
    with use_models(
        [
            model("cheap"),
            model("grand", tier="business", pricing=GRAND_PRICE),
            model("tried", call=ANSWER + "[trial]\nruns = 3\n"),
        ]
    ):
        yield


def plan(graph: Graph) -> Plan:
    return compile_plan(graph.nodes, graph.edges)


def ask(name: str = "cheap", field: str = "row") -> Graph:
    """Return a workflow that sends its input to a model; a list gives a call for each item."""
    graph = Graph(field).node("ask", "customModel", model=name).node("out", "responseOutput")
    return graph.wire(f"in.{field} > ask.prompt-in", "ask.text-out > out.result-in")


def other(graph: Graph) -> InnerPlans:
    return {Callee("other"): plan(graph)}


def test_a_body_counts_as_one_item_and_says_so() -> None:
    made = plan(each_row(ask()))

    assert estimate_nodes(made, ONE) == {"each": 10}
    assert estimate(made, ONE) == 10
    assert per_item_nodes(made, {}) == ["each"]


def test_a_called_workflow_counts_as_a_whole() -> None:
    made = plan(calling("other", field="row"))

    assert estimate_nodes(made, ONE, inner=other(ask())) == {"call": 10}
    assert per_item_nodes(made, other(ask())) == []
    assert per_item_nodes(made, other(each_row(ask()))) == ["call"]


def test_what_is_not_there_or_charges_nothing_costs_nothing() -> None:
    made = plan(calling("other", field="row"))

    for inner in ({}, other(greeting())):
        assert (estimate_nodes(made, ONE, inner=inner), per_item_nodes(made, inner)) == ({}, [])
        assert make_quote(made, PRO, None, {"row": "a"}, inner) is None


def test_charges_outside_and_inside_are_added() -> None:
    graph = calling("other", field="row").node("m", "customModel", model="cheap", prompt="x")
    made = plan(graph.wire("m.text-out > out.result-in"))

    quote = make_quote(made, PRO, None, {"row": "a"}, other(each_row(ask())))

    assert quote is not None
    assert quote.credits == 13 + 13


def test_known_inputs_of_a_child_count() -> None:
    rows = [{"value": "a"}, {"value": "b"}, {"value": "c"}]
    graph = Graph().node("rows", "list", items=rows).node("call", "subWorkflow", workflow="other")
    graph.node("out", "responseOutput")
    graph.wire("rows.items-out > call.row", "call.result-out > out.result-in")
    inner = ask()
    inner.nodes[0]["data"]["fields"] = [{"name": "row", "type": "json"}]

    assert estimate(plan(graph), ONE, other(inner)) == 30


def test_the_results_of_a_list_of_known_length_count_once_each() -> None:
    graph = each_row().node("ask", "customModel", model="cheap")
    made = plan(graph.wire("each.results-out > ask.prompt-in", "ask.text-out > out.result-in"))
    graph.nodes[1]["data"]["onItemError"] = "skip"

    assert estimate(made, ONE) == 20
    assert estimate(plan(graph), ONE) == 10


def test_children_of_a_node_that_does_not_run_cost_nothing() -> None:
    made = plan(each_row(ask()))
    statuses = [NodeStatus.PENDING] * len(made.nodes)
    statuses[1] = NodeStatus.COMPLETED
    start = Start(slug="a", statuses=statuses, rows=[], fields={})

    assert made.nodes[1].id == "each"
    assert estimate(start.charged_part(made), ONE) == 0


def test_bodies_in_bodies_count_one_item_of_one_item() -> None:
    inner = each_row(ask()).node("in", "requestInput", fields=ROW)
    graph = each_row(inner)

    assert estimate_nodes(plan(graph), ONE) == {"each": 10}


def test_models_inside_are_subject_to_the_tier_and_to_trials() -> None:
    made = plan(each_row(ask("grand")))
    with pytest.raises(ModelTierRequired):
        make_quote(made, PRO, None)

    tried = make_quote(plan(each_row(ask("tried"))), FREE, None)

    assert charged_models(made, {}) == {"grand"}
    assert tried is not None and (tried.credits, list(tried.trials)) == (0, ["tried"])
    with use_models([]), pytest.raises(ModelNotFound):
        make_quote(made, PRO, None)


def test_workflows_that_call_each_other_have_an_estimate() -> None:
    """They cannot be saved one after the other, but at the same time."""
    graph = ask().node("call", "subWorkflow", workflow="other")
    made = plan(graph.wire("in.row > call.row", "call.result-out > out.result-in"))

    assert estimate(made, ONE, {Callee("other"): made}) == 10 * 9


def test_an_estimate_beyond_all_credits_is_the_most_that_there_is() -> None:
    graph = Graph().node("out", "responseOutput")
    for number in range(400):
        graph.node(f"c{number}", "subWorkflow", workflow="other")
        graph.wire(f"c{number}.result-out > out.result-in")
    graph.node("ask", "customModel", model="cheap", prompt="x").wire("ask.text-out > out.result-in")
    made = plan(graph)

    assert estimate(made, ONE, {Callee("other"): made}) == MAX_CREDITS


def test_an_agent_counts_as_one_turn_and_needs_the_models_of_its_tools() -> None:
    graph = Graph("row").node(
        "agent", "agent", model="thinker", prompt="{{ row }}", tools=[{"workflow": "other"}]
    )
    graph.node("out", "responseOutput")
    graph.wire("in.row > agent.row", "agent.text-out > out.result-in")
    with use_models([agent_model(), model("cheap")]):
        made = plan(graph)
        inner = other(ask())

        assert estimate_nodes(made, ONE, inner=inner) == {"agent": COST}
        assert per_item_nodes(made, inner) == ["agent"]
        assert charged_models(made, inner) == {"thinker", "cheap"}
        assert make_quote(made, PRO, None, {"row": "a"}, inner) is not None
