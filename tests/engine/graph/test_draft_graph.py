"""Graphs of drafts: kept as plain values, compiled whole or for one node."""

import threading

import pytest

from engine.errors import InvalidGraph
from engine.graph.draft_graph import DraftGraph
from engine.graph.plan import Plan, compile_plan
from tests.support.factories import Graph


def chain() -> Graph:
    """Two texts, a text beside them, and a node with an unknown type."""
    graph = Graph("who").node("a", "textBox", text="{{ x }}").node("b", "textBox", text="{{ x }}")
    graph.node("beside", "textBox", text="x").node("out", "responseOutput")
    return graph.wire("in.who > a.x", "a.text-out > b.x", "b.text-out > out.result-in")


def broken() -> Graph:
    graph = chain().node("wrong", "nothing")
    return graph.wire("b.text-out > wrong.x")


def test_a_whole_graph_is_compiled_as_a_saved_one() -> None:
    graph = chain()

    plan = DraftGraph(nodes=graph.nodes, edges=graph.edges).compile()

    assert plan.names == compile_plan(graph.nodes, graph.edges).names
    assert plan.result_node is None


@pytest.mark.parametrize("size", [10, 300])
async def test_a_large_graph_is_compiled_outside_the_event_loop(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    made = chain()
    for number in range(size):
        made.node(f"more{number}", "textBox", text="x")
    threads: list[int] = []
    compile_here = DraftGraph.compile

    def compile_noted(graph: DraftGraph) -> Plan:
        threads.append(threading.get_ident())
        return compile_here(graph)

    monkeypatch.setattr(DraftGraph, "compile", compile_noted)

    plan = await DraftGraph(nodes=made.nodes, edges=made.edges).compile_aside()

    assert plan.names == compile_plan(made.nodes, made.edges).names
    assert (threads == [threading.get_ident()]) is (size == 10)


def test_a_graph_is_read_as_it_was_kept_without_positions() -> None:
    nodes = [{**node, "position": {"x": 1, "y": 2}} for node in chain().nodes]
    graph = DraftGraph(nodes=nodes, edges=chain().edges, only="b")

    record = graph.as_record()

    assert "position" not in record["nodes"][0]
    assert DraftGraph.of(record).compile() == graph.compile()


def test_one_node_is_reached_with_what_it_needs_though_others_are_wrong() -> None:
    graph = broken()

    plan = DraftGraph(nodes=graph.nodes, edges=graph.edges, only="b").compile()

    assert plan.result_node is not None
    assert plan.nodes[plan.result_node].id == "b"
    assert {plan.nodes[index].id for index in plan.reachable} == {"in", "a", "b"}
    assert plan.response_output is None
    assert "wrong" not in {name.id for name in plan.names}


def test_the_response_output_alone_is_the_whole_run() -> None:
    graph = chain()

    plan = DraftGraph(nodes=graph.nodes, edges=graph.edges, only="out").compile()

    assert plan.result_node is None
    assert plan.response_output is not None


def test_fields_that_one_node_does_not_need_are_not_required() -> None:
    graph = chain()
    graph.nodes[0]["data"]["fields"][0]["required"] = True

    whole, needed, beside = (
        DraftGraph(nodes=graph.nodes, edges=graph.edges, only=only).compile()
        for only in (None, "a", "beside")
    )

    assert [plan.fields[0].required for plan in (whole, needed, beside)] == [True, True, False]


@pytest.mark.parametrize("only", [None, "wrong"])
def test_what_is_wrong_is_not_compiled(only: str | None) -> None:
    graph = broken()

    with pytest.raises(InvalidGraph):
        DraftGraph(nodes=graph.nodes, edges=graph.edges, only=only).compile()
