"""Invalid graphs: every problem is reported at its node or edge."""

from typing import Any

import pytest

from engine.errors import InvalidGraph
from engine.graph.parsed import Problem
from engine.graph.plan import compile_plan
from engine.models.registry import use_models
from engine.nodes import NODE_TYPES
from tests.support.graphs.graph_text import chain, edge, node
from tests.support.graphs.graphs import only, problems
from tests.support.manifests import PROMPT, model


def test_an_invalid_graph_carries_all_its_problems() -> None:
    nodes = [node("a", "no-such"), node("b", "list", mode="x"), node("b", "list")]
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
    "name", ["Assistant", "image-generator", "foreach", "List", "", "__class__"]
)
def test_an_unknown_node_type_is_named_beside_the_known_ones(name: str) -> None:
    problem = only([node("a", name)], [])

    known = ", ".join(sorted(kind.type for kind in NODE_TYPES))
    assert problem["nodeId"] == "a"
    assert problem["reason"] == f"There is no node type '{name}' here; there are {known}"


@pytest.mark.parametrize("node_id", ["", "x" * 129, None, 5])
def test_an_id_is_a_text_of_1_to_128_characters(node_id: Any) -> None:
    bad = {**node("a", "list"), "id": node_id}
    wire = {**edge("b.items-out", "b.items-in"), "id": node_id}

    assert only([bad], []) == {"reason": "nodes[0].id must be a text of 1 to 128 characters"}
    assert only([node("b", "list")], [wire])["reason"].startswith("edges[0].id must be a text")


def test_a_node_whose_id_is_that_of_another_is_checked_like_others() -> None:
    twins = [node("a", "list"), node("a", "list", mode="none such"), node("a", "no-such")]

    reasons = [each["reason"] for each in problems(twins, [])]

    assert [reason.split(" ")[0] for reason in reasons] == ["Another", "mode", "Another", "There"]


def test_an_edge_whose_id_is_that_of_another_is_checked_like_others() -> None:
    nodes = [node("a", "list"), node("b", "list")]
    wires = [edge("a.items-out", "b.items-in", id="e"), edge("a.none", "c.items-in", id="e")]

    found = problems(nodes, wires)

    assert [each["reason"].split(" ")[0] for each in found] == ["Another", "target"]


@pytest.mark.A54
def test_ids_must_differ() -> None:
    twins = [node("a", "list"), node("a", "list")]
    edges = [edge("a.items-out", "b.items-in", id="e"), edge("a.items-out", "b.items-in", id="e")]

    assert only(twins, []) == {
        "nodeId": "a",
        "reason": "Another node has the id 'a' too; ids must differ",
    }
    assert only([node("a", "list"), node("b", "list")], edges)["edgeId"] == "e"


@pytest.mark.A54
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


@pytest.mark.A54
@pytest.mark.parametrize("length", [1, 2, 3, 10])
def test_a_cycle_is_named_by_its_nodes(length: int) -> None:
    nodes, edges = chain(length)

    problem = only(nodes, [*edges, edge(f"n{length - 1}.items-out", "n0.items-in")])

    names = [f"n{i}" for i in range(length)]
    assert problem == {
        "nodeId": "n0",
        "reason": f"These nodes form a cycle: {' → '.join([*names, 'n0'])}",
    }


@pytest.mark.A54
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
        ({"onError": "ask"}, "onError must be 'fail', 'continue' or 'fallback'"),
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


@pytest.mark.parametrize(
    ("kind", "data", "sockets"),
    [
        ("imageResize", {"width": "wide"}, ["image-in"]),
        ("imageCaption", {"text": "x", "size": "large"}, ["image-in"]),
        ("imageCompose", {"opacity": 7}, ["image-in", "overlay-in"]),
        ("imageCaption", {"size": "large"}, ["image-in", "text-in"]),
        ("customModel", {"model": "own", "count": "many"}, ["prompt-in"]),
        ("customModel", {"model": "own", "count": "many", "values": {"prompt": "x"}}, []),
        ("imageGenerator", {"model": "own", "count": "many"}, ["prompt-in"]),
        ("imageGenerator", {"model": "own", "prompt": "{{ broken", "count": 99}, []),
        ("imageGenerator", {"model": "nobody"}, []),
    ],
)
def test_a_wrong_setting_hides_no_missing_wire(
    kind: str, data: dict[str, Any], sockets: list[str]
) -> None:
    count = '[[fields]]\nname = "count"\ntype = "number"\n'
    with use_models([model("own", category="image", fields=PROMPT + count)]):
        found = [each["reason"] for each in problems([node("a", kind, **data)], [])]

    unwired = [f"Nothing is wired to the input socket '{socket}'" for socket in sockets]
    assert [each for each in found if each.startswith("Nothing is wired")] == unwired
    assert len(found) > len(unwired)


def test_a_wire_to_a_node_with_a_wrong_setting_counts() -> None:
    nodes = [node("a", "upload", asset="x" * 24), node("b", "imageResize", width="wide")]

    (problem,) = problems(nodes, [edge("a.image-out", "b.image-in")])

    assert "width" in problem["reason"]


def test_a_problem_shows_only_what_it_has() -> None:
    assert Problem(reason="r", node_id="n").as_dict() == {"nodeId": "n", "reason": "r"}
    assert Problem(reason="r", edge_id="e").as_dict() == {"edgeId": "e", "reason": "r"}


def test_edges_of_a_repeated_id_lead_to_the_first_node_of_it() -> None:
    nodes = [node("a", "textBox", text="Hi"), node("a", "note"), node("out", "responseOutput")]

    found = problems(nodes, [edge("a.text-out", "out.result-in")])

    assert [each["reason"] for each in found] == [
        "Another node has the id 'a' too; ids must differ"
    ]
