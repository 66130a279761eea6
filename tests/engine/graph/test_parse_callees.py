"""Nodes that call a workflow: their sockets at save, and when a saved version is compiled."""

from typing import Any

from engine.errors.nodes import SettingFault
from engine.graph.parse import parse_graph
from engine.graph.parsed import Callees
from engine.graph.plan import compile_plan, examine_graph, plan_sound_part
from engine.graph.plan_digest import plan_digest
from engine.nodes.support.children import Callee, CalleeInterface
from engine.values.fields import parse_fields
from tests.support.factories import Graph
from tests.support.graphs.nested import body_of, calling, each_row, upper_body

FIELDS = parse_fields(
    [{"name": "who", "type": "text", "required": True}, {"name": "n", "type": "number"}]
)
GONE = SettingFault("There is no such workflow", "workflow")
OTHER = CalleeInterface(fields=FIELDS, outputs=("title",))


def problems(graph: Graph, callees: Callees) -> list[dict[str, Any]]:
    found = examine_graph(graph.nodes, graph.edges, callees=callees).problems
    return [problem.as_detail() for problem in found]


def test_the_sockets_are_those_of_the_called_workflow() -> None:
    graph = calling("other").wire("call.title > out.result-in")

    parsed = parse_graph(graph.nodes, graph.edges, callees={Callee(workflow="other"): OTHER})

    node = parsed.nodes["call"]
    assert parsed.problems == []
    assert list(node.inputs) == ["who", "n"]
    assert list(node.outputs) == ["result-out", "title", "error-out"]


def test_a_version_has_an_interface_of_its_own() -> None:
    graph, callee = calling("other", version=2), Callee(workflow="other", version=2)

    assert problems(graph, {callee: OTHER, Callee(workflow="other"): GONE}) == []


def test_wires_to_what_is_not_there_and_missing_wires_are_problems() -> None:
    graph = calling("other", field="name").wire("call.body > out.result-in")

    found = problems(graph, {Callee(workflow="other"): OTHER})

    assert {(each.get("edgeId"), each.get("nodeId"), each["socket"]) for each in found} == {
        ("e0", None, "name"),
        ("e2", None, "body"),
        (None, "call", "who"),
    }


def test_a_workflow_that_cannot_be_called_is_a_problem_with_its_reason() -> None:
    found = problems(calling("other"), {Callee(workflow="other"): GONE})

    assert found == [{"nodeId": "call", "field": "workflow", "reason": "There is no such workflow"}]


def test_an_unknown_workflow_in_a_body_is_a_problem_inside() -> None:
    graph = each_row(calling("other", field="row"))

    (problem,) = problems(graph, {Callee(workflow="other"): GONE})

    assert (problem["nodeId"], problem["path"]) == ("each", ["each", "call"])


def test_for_each_calls_a_workflow_with_the_sockets_of_its_fields() -> None:
    graph = each_row(workflow="other", over="row")
    row = CalleeInterface(fields=parse_fields([{"name": "row", "type": "text"}]))

    assert problems(graph, {Callee(workflow="other"): row}) == []
    (problem,) = problems(each_row(workflow="other", over="x"), {Callee(workflow="other"): row})
    assert (problem["field"], problem["reason"]) == ("over", "over: there is no field 'x'")


def test_an_editor_sees_the_wired_sockets_of_a_workflow_that_is_gone() -> None:
    graph = calling("other").wire("call.title > out.result-in")
    parsed = examine_graph(graph.nodes, graph.edges, callees={Callee(workflow="other"): GONE})

    shown = parsed.shown_sockets()["call"]
    plan = plan_sound_part(parsed)

    assert [each["name"] for each in shown["inputs"]] == ["who"]
    assert [each["name"] for each in shown["outputs"]] == ["result-out", "title", "error-out"]
    assert [node.id for node in plan.nodes] == ["in", "out"]


def test_a_saved_version_has_the_sockets_that_its_wires_name() -> None:
    graph = calling("other", field="name").wire("call.body > out.result-in")

    plan = compile_plan(graph.nodes, graph.edges)

    node = next(node for node in plan.nodes if node.id == "call")
    assert [edge.socket for edge in node.in_edges] == ["name"]
    assert node.settings.wired == {"result-out", "body"}
    assert node.body is None
    assert plan_digest(plan) == plan_digest(compile_plan(graph.nodes, graph.edges))


def test_for_each_has_no_other_outputs_than_its_own_when_it_is_compiled() -> None:
    graph = each_row(workflow="other").wire("each.nope > out.result-in")

    found = examine_graph(graph.nodes, graph.edges).problems

    assert [problem.socket for problem in found] == ["nope"]


def test_bodies_in_bodies_call_workflows_too() -> None:
    inner = each_row(calling("other", field="row")).node(
        "in", "requestInput", fields=[{"name": "row", "type": "text"}]
    )
    graph = each_row(inner)

    (problem,) = problems(graph, {Callee(workflow="other"): GONE})
    plan = compile_plan(graph.nodes, graph.edges)

    assert problem["path"] == ["each", "each", "call"]
    assert plan.nodes[1].body is not None
    assert body_of(upper_body())["nodes"] != []
