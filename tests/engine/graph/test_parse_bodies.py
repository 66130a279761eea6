"""Bodies: their sockets, problems, limits and plans."""

from typing import Any

import pytest

from engine.graph.parse import MAX_EXPRESSIONS, MAX_NODES
from engine.graph.plan import check_graph, compile_plan, examine_graph, plan_sound_part
from engine.graph.plan_digest import plan_digest
from tests.support.factories import Graph
from tests.support.graphs.graph_checkers import judge
from tests.support.graphs.nested import each_row, upper_body


def problems(graph: Graph) -> list[dict[str, Any]]:
    found = check_graph(graph.nodes, graph.edges, judge=judge)
    return [problem.as_detail() for problem in found]


def only(graph: Graph) -> dict[str, Any]:
    (problem,) = problems(graph)
    return problem


def test_a_body_is_compiled_with_the_graph_around_it() -> None:
    graph = each_row(each_row(upper_body()).node("in", "requestInput", fields=ROW))

    plan = compile_plan(graph.nodes, graph.edges)

    outer = next(node for node in plan.nodes if node.id == "each")
    assert outer.body is not None
    inner = next(node for node in outer.body.nodes if node.id == "each")
    assert inner.body is not None and [node.id for node in inner.body.nodes] == [
        "in",
        "text",
        "out",
    ]
    assert [field.name for field in inner.body.fields] == ["row"]
    assert [node.body for node in plan.nodes if node.id != "each"] == [None, None]
    assert not plan.is_pure and inner.body.is_pure


ROW = [{"name": "row", "type": "text"}]


def test_its_sockets_are_the_fields_of_the_body() -> None:
    fields = [*ROW, {"name": "photo", "type": "image", "required": True}]
    body = Graph().node("in", "requestInput", fields=fields).node("out", "responseOutput")

    problem = only(each_row(body))
    text = each_row(body).node("t", "textBox", text="x").wire("t.text-out > each.photo")
    wrong = only(text)

    assert problem == {
        "nodeId": "each",
        "socket": "photo",
        "reason": "Nothing is wired to the input socket 'photo'",
    }
    assert wrong["reason"] == "'text-out' of 't' gives text, but 'photo' of 'each' takes image"


def test_an_edge_to_a_field_that_is_not_there_is_a_problem() -> None:
    problem = only(each_row().wire("rows.items-out > each.line"))

    assert problem["edgeId"] == "e2"
    assert problem["reason"].startswith("'each' (forEach) has no input socket 'line'")


def test_inner_problems_name_the_outer_node_and_the_path() -> None:
    body = upper_body().node("h", "httpRequest").wire("text.text-out > h.nope")
    body.node("t", "transform", expression="value +")

    found = problems(each_row(each_row(body).node("in", "requestInput", fields=ROW)))

    assert {problem["nodeId"] for problem in found} == {"each"}
    paths = {tuple(problem["path"]): problem for problem in found if "edgeId" not in problem}
    assert set(paths) == {("each", "each", "h"), ("each", "each", "t")}
    assert paths["each", "each", "t"]["field"] == "expression"
    assert [each for each in found if "edgeId" in each] == []


def test_an_inner_edge_is_named_with_the_node_that_has_the_body() -> None:
    body = upper_body().wire("text.nope > out.result-in")

    problem = only(each_row(body))

    assert (problem["nodeId"], problem["edgeId"], problem["path"]) == ("each", "e2", ["each"])
    assert problem["socket"] == "nope"


def test_a_cycle_in_a_body_is_a_problem() -> None:
    body = upper_body().node("a", "list").node("b", "list")
    body.wire("a.items-out > b.items-in", "b.items-out > a.items-in")

    problem = only(each_row(body))

    assert problem["path"] == ["each", "a"]
    assert problem["reason"] == "These nodes form a cycle: a → b → a"


@pytest.mark.parametrize(
    ("kind", "title"), [("requestInput", "Request Input"), ("responseOutput", "Response Output")]
)
def test_a_body_has_one_request_input_and_one_response_output(kind: str, title: str) -> None:
    body = upper_body()
    body.nodes = [node for node in body.nodes if node["type"] != kind]
    ids = {node["id"] for node in body.nodes}
    body.edges = [edge for edge in body.edges if {edge["source"], edge["target"]} <= ids]

    reasons = [problem["reason"] for problem in problems(each_row(body))]
    doubled = problems(each_row(upper_body().node("more", kind)))

    assert f"The body has no {title}; it needs one" in reasons
    assert [problem["path"] for problem in doubled] == [["each", "more"]]


def test_a_body_counts_in_the_limits_of_the_graph() -> None:
    body = upper_body()
    for number in range(MAX_NODES - 5):
        body.node(f"n{number}", "note", text="")

    problem = only(each_row(body))

    assert problem["reason"] == (
        f"The graph has {MAX_NODES + 1} nodes with those of its bodies; at most 1000 are allowed"
    )


def test_a_body_counts_in_the_limit_of_expressions() -> None:
    graph, body = Graph(), upper_body()
    for number in range(MAX_EXPRESSIONS // 8_000 + 1):
        for each in (graph, body):
            each.node(f"t{number}", "transform", expression="'" + "a" * 4_000 + "'")
    graph.nodes += each_row(body).nodes

    found = check_graph(graph.nodes, graph.edges, judge=judge)

    reason = "All expressions of a graph together have at most 102400 characters"
    assert reason in {problem.reason for problem in found}
    assert reason not in {problem["reason"] for problem in problems(body)}


def test_a_large_body_is_limited_by_its_nodes() -> None:
    body = upper_body()
    for number in range(3):
        body.node(f"n{number}", "note", text="x" * 100_000)

    assert problems(each_row(body)) == []
    assert problems(each_row().node("n", "note", text="x" * 300_000)) != []


@pytest.mark.A96c
def test_bodies_are_nested_as_deep_as_runs_at_most() -> None:
    graph = upper_body()
    for _ in range(8):
        graph = each_row(graph).node("in", "requestInput", fields=ROW)
    assert problems(graph) == []

    problem = only(each_row(graph))

    assert problem["reason"] == "Bodies are nested more than 8 deep"
    assert problem["path"] == ["each"] * 9


def test_a_node_whose_body_has_problems_takes_no_part_in_the_sound_plan() -> None:
    graph = each_row(upper_body().node("h", "httpRequest"))

    plan = plan_sound_part(examine_graph(graph.nodes, graph.edges))

    assert [node.id for node in plan.nodes] == ["rows", "out"]


def test_an_editor_sees_the_sockets_of_the_body() -> None:
    graph = each_row(upper_body().node("h", "httpRequest"))

    shown = examine_graph(graph.nodes, graph.edges).shown_sockets()

    names = [socket["name"] for socket in shown["each"]["inputs"]]
    inner = {
        node: [each["name"] for each in all["outputs"]]
        for node, all in shown["each"]["body"].items()
    }
    assert names == ["row"]
    assert inner == {
        "in": ["row", "params"],
        "text": ["text-out", "error-out"],
        "out": [],
        "h": ["response-out", "status-out", "error-out"],
    }
    assert "body" not in shown["rows"]


def test_the_digest_of_a_plan_depends_on_its_bodies() -> None:
    changed = upper_body()
    changed.nodes[1]["id"] = changed.edges[0]["target"] = changed.edges[1]["source"] = "other"
    graphs = (each_row(), each_row(), each_row(changed))

    first, same, other = (plan_digest(compile_plan(each.nodes, each.edges)) for each in graphs)

    assert first == same != other


def test_expressions_of_a_body_count_for_the_inputs_of_a_run() -> None:
    body = Graph("row").node("t", "transform", expression="value").node("out", "responseOutput")
    body.wire("in.row > t.value-in", "t.value-out > out.result-in")

    with_expressions, without = each_row(body), each_row()

    assert compile_plan(with_expressions.nodes, with_expressions.edges).has_expressions
    assert not compile_plan(without.nodes, without.edges).has_expressions
