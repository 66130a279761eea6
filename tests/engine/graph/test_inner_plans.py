"""Plans that the nodes of a plan run as children."""

from engine.graph.inner_plans import calls_of_plan, inner_plan
from engine.graph.plan import compile_plan
from engine.nodes.support.children import Callee
from tests.support.factories import greeting
from tests.support.graphs.nested import calling, each_row


def test_calls_are_those_of_nodes_that_may_run() -> None:
    body = calling("inner", field="row").node("aside", "subWorkflow", workflow="unused")
    graph = each_row(body).node("two", "forEach", workflow="other", version=2)
    graph.wire("rows.items-out > two.row", "two.results-out > out.result-in")
    graph.node("aside", "subWorkflow", workflow="unused")

    plan = compile_plan(graph.nodes, graph.edges)

    assert calls_of_plan(plan) == {Callee("inner"), Callee("other", 2)}
    assert calls_of_plan(compile_plan(greeting().nodes, greeting().edges)) == frozenset()


def test_a_node_runs_its_body_or_a_called_plan_that_is_there() -> None:
    graph = each_row().node("call", "subWorkflow", workflow="other")
    plan = compile_plan(graph.nodes, graph.edges)
    nodes = {node.id: node for node in plan.nodes}

    assert inner_plan(nodes["each"], {}) is nodes["each"].body
    assert inner_plan(nodes["call"], {Callee("other"): plan}) is plan
    assert inner_plan(nodes["call"], {}) is None
    assert inner_plan(nodes["rows"], {}) is None
