"""Random graphs, compared with networkx and with planted faults."""

from typing import Any

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.graph.document import parse_document
from engine.graph.plan import check_graph, compile_plan
from engine.nodes import NODE_TYPES
from tests.engine.values.test_plain import PLAIN
from tests.support.graphs.graph_text import chain, edge, node
from tests.support.graphs.graphs import pairs_to_edges, problems

pytestmark = pytest.mark.A54

SIZES = st.integers(1, 12)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]]]:
    size = draw(SIZES)
    ends = st.integers(0, size - 1)
    return size, draw(st.lists(st.tuples(ends, ends), max_size=24))


@given(drawn=pairs())
def test_cycles_are_found_exactly_where_networkx_finds_them(
    drawn: tuple[int, list[tuple[int, int]]],
) -> None:
    size, ends = drawn
    oracle = networkx.DiGraph(ends)

    found = problems([node(f"n{i}", "list") for i in range(size)], pairs_to_edges(ends))

    cyclic = [
        group
        for group in networkx.strongly_connected_components(oracle)
        if len(group) > 1 or any(oracle.has_edge(each, each) for each in group)
    ]
    assert {each["nodeId"] for each in found} == {f"n{min(group)}" for group in cyclic}
    assert len(found) == len(cyclic)


@given(drawn=pairs(), output=st.booleans())
def test_a_plan_agrees_with_networkx(
    drawn: tuple[int, list[tuple[int, int]]], output: bool
) -> None:
    size, ends = drawn
    ends = [(min(pair), max(pair)) for pair in ends if pair[0] != pair[1]]
    shuffled = [size - 1 - i for i in range(size)]
    nodes = [node(f"n{i}", "list") for i in shuffled]
    edges = pairs_to_edges(ends)
    oracle = networkx.DiGraph([(f"n{a}", f"n{b}") for a, b in ends])
    oracle.add_nodes_from(each["id"] for each in nodes)
    if output:
        nodes.insert(0, node("out", "responseOutput"))
        edges.append(edge("n0.items-out", "out.result-in"))
        oracle.add_edge("n0", "out")

    plan = compile_plan(nodes, edges)

    ids = [each.id for each in plan.nodes]
    assert sorted(ids) == sorted(each["id"] for each in nodes)
    for each in plan.nodes:
        assert {ids[i] for i in each.dependencies} == set(oracle.predecessors(each.id))
        assert {ids[i] for i in each.dependents} == set(oracle.successors(each.id))
        assert all(dependency < each.index for dependency in each.dependencies)
    expected = networkx.ancestors(oracle, "out") | {"out"} if output else set()
    assert {ids[index] for index in plan.reachable} == expected
    assert compile_plan(nodes, edges) == plan


FAULTY_NODES = {
    "type": node("f1", "zzz"),
    "setting": node("f2", "list", mode="sideways"),
    "wire": node("f3", "textBox", text="{{ x }}"),
    "duplicate": node("n0", "list"),
    "policy": node("f4", "list", onError="shrug"),
}
FAULTY_EDGES = {
    "source": edge("gone.items-out", "n1.items-in"),
    "target": edge("n0.items-out", "gone.items-in"),
    "output": edge("n0.wrong", "n1.items-in"),
    "input": edge("n0.items-out", "n1.wrong"),
    "cycle": edge("n2.items-out", "n2.items-in"),
    "duplicate": edge("n0.items-out", "n1.items-in"),
}


@given(
    faulty_nodes=st.sets(st.sampled_from(sorted(FAULTY_NODES))),
    faulty_edges=st.sets(st.sampled_from(sorted(FAULTY_EDGES))),
)
def test_each_planted_fault_is_found_and_nothing_else(
    faulty_nodes: set[str], faulty_edges: set[str]
) -> None:
    nodes, edges = chain(4)

    nodes += [FAULTY_NODES[name] for name in faulty_nodes]
    edges += [FAULTY_EDGES[name] for name in faulty_edges]

    assert len(problems(nodes, edges)) == len(faulty_nodes) + len(faulty_edges)


MEMBERS = ["text", "fields", "values", "strict", "items", "kind", "mode", "url", "headers", "body"]
MORE = ["method", "maxBytes", "expression", "retry", "timeoutSeconds", "onError"]
WORDS = st.sampled_from(["text", "{{ a }}", "{{", "https://a.example", "keep", "value", "POST"])
JUNK = st.recursive(
    PLAIN | WORDS | st.sampled_from([{"name": "a", "type": "text"}, {"value": 1}]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
TYPES = st.sampled_from([each.type for each in NODE_TYPES])
JUNK_NODES = st.builds(
    lambda name, kind, data: node(name, kind, **data),
    st.sampled_from("abcd"),
    TYPES,
    st.dictionaries(st.sampled_from(MEMBERS + MORE), JUNK, max_size=4),
)
ENDS = st.builds(
    "{}.{}".format,
    st.sampled_from("abcd"),
    st.sampled_from(["a", "params", "text-out", "items-out", "items-in", "result-in", "value-in"]),
)


@given(
    nodes=st.lists(JUNK_NODES, max_size=4),
    edges=st.lists(st.builds(edge, ENDS, ENDS), max_size=6),
)
def test_any_document_is_a_plan_or_a_list_of_problems(
    nodes: list[dict[str, Any]], edges: list[dict[str, Any]]
) -> None:
    document = parse_document({"name": "x", "nodes": nodes, "edges": edges})

    found = check_graph(document.nodes, document.edges)

    assert all(problem.reason for problem in found)
    if not found:
        assert len(compile_plan(document.nodes, document.edges).nodes) == len(nodes)
