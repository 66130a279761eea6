import itertools
import json
import sys
import time
from pathlib import Path
from typing import Any

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.documents import parse_document
from engine.errors import InvalidGraph
from engine.graph import Policy, Problem, check_graph, compile_plan
from engine.nodes import NODE_TYPES
from engine.sockets import SocketType
from tests.drawing import chain, edge, node
from tests.engine.test_values import PLAIN

Graph = tuple[list[dict[str, Any]], list[dict[str, Any]]]

NODES = [
    node(
        "in",
        "requestInput",
        fields=[{"name": "topic", "type": "text"}, {"name": "n", "type": "number"}],
    ),
    node("text", "textBox", text="{{ topic }} {{ more.n }}"),
    node("out", "responseOutput"),
]
EDGES = [
    edge("in.topic", "text.topic"),
    edge("in.params", "text.more"),
    edge("text.text-out", "out.result-in"),
]


def problems(nodes: list[dict[str, Any]], edges: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [problem.as_dict() for problem in check_graph(nodes, edges)]


def only(nodes: list[dict[str, Any]], edges: list[dict[str, Any]]) -> dict[str, str]:
    (problem,) = problems(nodes, edges)
    return problem


# -- plans ----------------------------------------------------------------------------------------


def test_a_graph_that_can_run_becomes_a_plan() -> None:
    plan = compile_plan(NODES, EDGES)

    assert [each.id for each in plan.nodes] == ["in", "text", "out"]
    assert [each.index for each in plan.nodes] == [0, 1, 2]
    assert [each.dependencies for each in plan.nodes] == [(), (0,), (1,)]
    assert [each.dependents for each in plan.nodes] == [(1,), (2,), ()]
    assert [each.many for each in plan.nodes] == [frozenset(), frozenset(), {"result-in"}]
    assert (plan.request_input, plan.response_output) == (0, 2)
    assert plan.reachable == {0, 1, 2}
    assert [each.name for each in plan.fields] == ["topic", "n"]
    assert plan.strict_inputs is False
    assert plan.values == {}
    assert plan.models == {}


def test_wires_say_where_they_come_from_in_the_order_of_the_edges() -> None:
    plan = compile_plan(NODES, [EDGES[1], EDGES[0], EDGES[2]])

    wires = [(wire.socket, wire.source, wire.output, wire.type) for wire in plan.nodes[1].wires]
    assert wires == [
        ("more", 0, "params", SocketType.ANY),
        ("topic", 0, "topic", SocketType.TEXT),
    ]


def test_ties_are_broken_by_the_order_in_the_document() -> None:
    names = ["c", "a", "d", "b"]

    plan = compile_plan([node(name, "list") for name in names], [edge("d.items-out", "c.items-in")])

    assert [each.id for each in plan.nodes] == ["a", "d", "c", "b"]


def test_the_plan_has_policy_strictness_and_saved_values() -> None:
    nodes = [
        node(
            "in",
            "requestInput",
            fields=[{"name": "topic", "type": "text"}],
            values={"topic": "cats", "gone": 1},
            strict=True,
        ),
        node(
            "call", "httpRequest", url="https://a.example", timeoutSeconds=2, retry={"attempts": 3}
        ),
    ]

    plan = compile_plan(nodes, [])

    assert plan.strict_inputs is True
    assert plan.values == {"topic": "cats"}
    assert plan.nodes[1].policy == Policy(attempts=3, backoff=1.0, timeout_seconds=2.0)


def test_without_a_request_input_there_are_no_fields() -> None:
    plan = compile_plan([node("out", "responseOutput")], [])

    assert plan.request_input is None
    assert plan.fields == () and plan.values == {}


def test_without_a_response_output_nothing_is_reachable() -> None:
    plan = compile_plan([node("a", "list"), node("b", "list")], [])

    assert plan.response_output is None
    assert plan.reachable == frozenset()


def test_an_empty_graph_is_a_plan_too() -> None:
    assert compile_plan([], []).nodes == ()


def test_what_does_not_lead_to_the_output_is_not_reachable() -> None:
    nodes = [*NODES, node("aside", "textBox", text="{{ t }}"), node("n", "note", text="hello")]

    plan = compile_plan(nodes, [*EDGES, edge("in.topic", "aside.t")])

    assert {plan.nodes[index].id for index in plan.reachable} == {"in", "text", "out"}


def test_a_node_wired_twice_to_another_depends_on_it_once() -> None:
    nodes = [node("a", "list"), node("b", "list")]
    edges = [edge("a.items-out", "b.items-in", id="1"), edge("a.items-out", "b.items-in", id="2")]

    plan = compile_plan(nodes, edges)

    assert plan.nodes[1].dependencies == (0,)
    assert plan.nodes[0].dependents == (1,)
    assert len(plan.nodes[1].wires) == 2


@pytest.mark.parametrize("is_wired", [True, False])
def test_an_http_request_knows_whether_its_status_is_wired(is_wired: bool) -> None:
    nodes = [node("call", "httpRequest", url="https://a.example"), node("out", "responseOutput")]
    edges = [edge("call.response-out", "out.result-in"), edge("call.status-out", "out.result-in")]

    plan = compile_plan(nodes, edges if is_wired else edges[:1])

    assert plan.nodes[0].settings.reads_status is is_wired


@pytest.mark.parametrize(
    "path", sorted(Path("examples").glob("*.json")), ids=lambda path: path.stem
)
def test_every_example_can_run(path: Path) -> None:
    document = parse_document(json.loads(path.read_text()))

    assert problems(document.nodes, document.edges) == []


# -- problems, one by one -------------------------------------------------------------------------


def test_an_invalid_graph_carries_all_its_problems() -> None:
    nodes = [node("a", "assistant"), node("b", "list", mode="x"), node("b", "list")]
    edges = [edge("a.text-out", "nowhere.x"), edge("b.items-out", "b.items-in")]

    with pytest.raises(InvalidGraph) as raised:
        compile_plan(nodes, edges)

    found = raised.value.context["problems"]
    assert found == problems(nodes, edges)
    assert [each.get("nodeId") or each["edgeId"] for each in found] == [
        "a",
        "b",
        "b",
        "a.text-out>nowhere.x",
        "b",
    ]


@pytest.mark.parametrize(
    "name", ["assistant", "imageGenerator", "forEach", "List", "", "__class__"]
)
def test_an_unknown_node_type_is_named_beside_the_known_ones(name: str) -> None:
    problem = only([node("a", name)], [])

    assert problem["nodeId"] == "a"
    assert (
        f"There is no node type '{name}' here; there are condition, customModel, httpRequest"
        in problem["reason"]
    )


@pytest.mark.parametrize("node_id", ["", "x" * 129, None, 5])
def test_an_id_is_a_text_of_1_to_128_characters(node_id: Any) -> None:
    bad = {**node("a", "list"), "id": node_id}
    wire = {**edge("b.items-out", "b.items-in"), "id": node_id}

    assert only([bad], []) == {"reason": "nodes[0].id must be a text of 1 to 128 characters"}
    assert only([node("b", "list")], [wire])["reason"].startswith("edges[0].id must be a text")


def test_ids_must_differ() -> None:
    twins = [node("a", "list"), node("a", "list")]
    edges = [edge("a.items-out", "b.items-in", id="e"), edge("a.items-out", "b.items-in", id="e")]

    assert only(twins, []) == {
        "nodeId": "a",
        "reason": "Another node has the id 'a' too; ids must differ",
    }
    assert only([node("a", "list"), node("b", "list")], edges)["edgeId"] == "e"


@pytest.mark.parametrize("key", ["source", "target"])
@pytest.mark.parametrize("value", ["nowhere", "", None, 3, "x" * 10_000])
def test_an_edge_to_nowhere_is_named(key: str, value: Any) -> None:
    wire = {**edge("a.items-out", "b.items-in"), key: value}

    problem = only([node("a", "list"), node("b", "list")], [wire])

    assert problem["edgeId"] == wire["id"]
    assert problem["reason"].startswith(f"{key} is ")
    assert len(problem["reason"]) < 300


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (edge("a.x", "b.items-in"), "'a' (list) has no output socket 'x'; it has 'items-out'"),
        (edge("a.items-out", "b.x"), "'b' (list) has no input socket 'x'; it has 'items-in'"),
        (edge("a.items-out", "n.x"), "'n' (note) has no input socket 'x'; it has none"),
        ({**edge("a.x", "b.items-in"), "sourceHandle": None}, "no output socket without a name"),
    ],
)
def test_an_unknown_socket_is_named_beside_the_known_ones(wire: Any, expected: str) -> None:
    nodes = [node("a", "list"), node("b", "list"), node("n", "note")]

    problem = only(nodes, [wire])

    assert problem["edgeId"] == wire["id"]
    assert expected in problem["reason"]


def test_types_that_do_not_match_are_named() -> None:
    nodes = [node("a", "list", kind="image"), node("b", "list", kind="text")]

    assert only(nodes, [edge("a.items-out", "b.items-in", id="e")]) == {
        "edgeId": "e",
        "reason": "'items-out' of 'a' gives image, but 'items-in' of 'b' takes text",
    }


def test_a_socket_that_takes_one_wire_refuses_a_second() -> None:
    nodes = [node("a", "list"), node("t", "textBox", text="{{ x }}")]
    edges = [edge("a.items-out", "t.x", id="1"), edge("a.items-out", "t.x", id="2")]

    assert only(nodes, edges) == {
        "edgeId": "2",
        "reason": "'x' of 't' takes one edge and has '1' already",
    }


def test_a_placeholder_without_a_wire_is_a_problem() -> None:
    nodes = [node("t", "textBox", text="{{ x }}{{ y }}"), node("a", "list")]

    assert only(nodes, [edge("a.items-out", "t.y")]) == {
        "nodeId": "t",
        "reason": "Nothing is wired to the input socket 'x'",
    }


@pytest.mark.parametrize("kind", ["requestInput", "responseOutput"])
def test_there_is_one_request_input_and_one_response_output(kind: str) -> None:
    nodes = [node("a", kind), node("b", kind), node("c", kind)]

    found = problems(nodes, [])

    assert [each["nodeId"] for each in found] == ["b", "c"]
    assert "'a' is one" in found[0]["reason"]


@pytest.mark.parametrize("length", [1, 2, 3, 10])
def test_a_cycle_is_named_by_its_nodes(length: int) -> None:
    nodes, edges = chain(length)

    problem = only(nodes, [*edges, edge(f"n{length - 1}.items-out", "n0.items-in")])

    names = [f"n{i}" for i in range(length)]
    assert problem == {
        "nodeId": "n0",
        "reason": f"These nodes form a cycle: {' → '.join([*names, 'n0'])}",
    }


def test_a_long_cycle_is_named_in_short() -> None:
    nodes, edges = chain(1000)

    problem = only(nodes, [*edges, edge("n999.items-out", "n0.items-in")])

    assert problem["reason"].endswith("n9 → …")


def test_every_cycle_is_a_problem_of_its_own() -> None:
    nodes = [node(name, "list") for name in "abcd"]
    pairs = ["ab", "ba", "bc", "cd", "dc"]

    found = problems(nodes, [edge(f"{a}.items-out", f"{b}.items-in") for a, b in pairs])

    assert [each["reason"] for each in found] == [
        "These nodes form a cycle: a → b → a",
        "These nodes form a cycle: c → d → c",
    ]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ([], "data must be an object"),
        ("x", "data must be an object"),
        ({"x": float("nan")}, "data has a number that is not finite"),
        ({"x": "y" * 262_144}, "data has 262152 bytes as JSON; at most 262144 are allowed"),
        ({"retry": {"attempts": 11}}, "retry.attempts must be a whole number from 1 to 10"),
        ({"timeoutSeconds": 601}, "timeoutSeconds must be a number over 0 and at most 600"),
        ({"onError": "fallback"}, "onError must be 'fail' or 'continue'"),
    ],
)
def test_data_that_is_not_right_is_a_problem_of_its_node(data: Any, expected: str) -> None:
    problem = only([{**node("a", "list"), "data": data}], [])

    assert problem == {"nodeId": "a", "reason": expected}


def test_no_data_is_empty_data() -> None:
    assert (
        problems([{"id": "a", "type": "list"}, {"id": "b", "type": "list", "data": None}], []) == []
    )


def test_one_wrong_time_out_is_one_problem() -> None:
    call = node("a", "httpRequest", url="https://a.example", timeoutSeconds=0)

    assert only([call], [])["reason"].startswith("timeoutSeconds")


def test_what_follows_from_a_broken_node_is_no_problem_of_its_own() -> None:
    nodes = [node("a", "assistant"), node("b", "list", mode="x"), node("out", "responseOutput")]
    edges = [edge("a.text-out", "b.any"), edge("b.what", "out.result-in")]

    assert [each.get("nodeId") for each in problems(nodes, edges)] == ["a", "b"]


def test_a_problem_shows_only_what_it_has() -> None:
    assert Problem(reason="r", node_id="n").as_dict() == {"nodeId": "n", "reason": "r"}
    assert Problem(reason="r", edge_id="e").as_dict() == {"edgeId": "e", "reason": "r"}


# -- size and time --------------------------------------------------------------------------------


def test_the_size_of_a_graph_is_limited() -> None:
    wires = [edge("a.items-out", "b.items-in")] * 1_000_000

    assert only([node(f"n{i}", "list") for i in range(100_000)], []) == {
        "reason": "The graph has 100000 nodes; at most 1000 are allowed"
    }
    assert only([], wires) == {"reason": "The graph has 1000000 edges; at most 5000 are allowed"}


def test_the_expressions_of_a_graph_are_limited_together() -> None:
    long = "value" + " " * 4_000
    nodes = [node(f"n{i}", "transform", expression=long) for i in range(26)]

    assert only(nodes, []) == {
        "nodeId": "n25",
        "reason": "All expressions of a graph together have at most 102400 characters",
    }


def pairs_to_edges(pairs: Any) -> list[dict[str, Any]]:
    return [
        edge(f"n{a}.items-out", f"n{b}.items-in", id=str(number))
        for number, (a, b) in enumerate(pairs)
    ]


LISTS = [node(f"n{i}", "list", items=[{"value": "x" * 800}]) for i in range(1000)]
LARGEST = {
    "layers": (LISTS, pairs_to_edges((i // 5, i // 5 + 1 + i % 5) for i in range(4_970))),
    "chain": (LISTS, pairs_to_edges((i, i + 1) for i in range(999))),
    "fan-out": (LISTS, pairs_to_edges((0, 1 + i % 999) for i in range(5_000))),
    "fan-in": (LISTS, pairs_to_edges((i % 999, 999) for i in range(5_000))),
    "diamonds": (LISTS, pairs_to_edges((i // 4, i // 4 + 1) for i in range(3_996))),
    "one long cycle": (LISTS, pairs_to_edges((i, (i + 1) % 1000) for i in range(1_000))),
    "many cycles": (LISTS, pairs_to_edges((i, i ^ 1) for i in range(1_000))),
    "dense cycle": (
        LISTS,
        pairs_to_edges(itertools.islice(itertools.permutations(range(72), 2), 5_000)),
    ),
    "self-edges": (LISTS, pairs_to_edges((i % 1000, i % 1000) for i in range(5_000))),
    "dangling": (LISTS, pairs_to_edges((i, i + 5_000) for i in range(1_000, 6_000))),
    "twins": ([LISTS[0]] * 1000, pairs_to_edges((0, 0) for _ in range(5_000))),
    "placeholders": (
        [node(f"n{i}", "textBox", text="{{ a }}" * 130) for i in range(1000)],
        [],
    ),
    "expressions": (
        [
            node("n", "transform", expression=f"{i}.0 + " + "value.a.b||" * 300 + "true")
            for i in range(30)
        ],
        [],
    ),
}


@pytest.mark.parametrize("graph", LARGEST.values(), ids=LARGEST.keys())
def test_the_largest_graphs_are_checked_in_no_time(graph: Graph) -> None:
    tracer = sys.gettrace()
    sys.settrace(None)  # being traced for coverage is not the time that a caller waits
    best = 9.0
    for _ in range(3):
        start = time.process_time()
        check_graph(*graph)
        best = min(best, time.process_time() - start)
    sys.settrace(tracer)

    assert best < 0.2


# -- against networkx -----------------------------------------------------------------------------

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
