"""Nodes that would give what they gave: by definition, wires and values."""

from collections.abc import Mapping
from typing import Any

import pytest

from engine.executions.statuses import NodeStatus
from engine.graph.plan import Plan, compile_plan
from engine.services.runs.unchanged_nodes import DraftToRun, FormerRun, find_unchanged, is_same
from engine.store.redis.record_packing import pack
from tests.support.factories import Graph
from tests.support.graphs.nested import each_row, upper_body
from tests.support.process.cpu_time import cpu_limit


def graph() -> Graph:
    """A form, a call, an assistant that asks about its answer, and a merge of both."""
    graph = Graph("who", "where")
    graph.node("call", "httpRequest", url="https://example.com/", method="POST")
    graph.node("ask", "assistant", model="echo", prompt="{{ x }}")
    graph.node("both", "merge", mode="all")
    graph.node("out", "responseOutput")
    graph.wire("in.who > call.body-in", "call.response-out > ask.x")
    graph.wire("call.response-out > both.value-in", "ask.text-out > both.value-in")
    return graph.wire("both.value-out > out.result-in")


OUTPUTS = {"call": {"response-out": 1, "status-out": 200}, "ask": {"text-out": "a"}}
OUTPUTS["both"] = {"value-out": [1, "a"]}
FORM = {"who": "Ada", "where": "here", "params": {}}


def plan_of(made: Graph) -> Plan:
    return compile_plan(made.nodes, made.edges)


def raw(made: Graph) -> dict[str, Any]:
    return {node["id"]: node for node in made.nodes}


def former(
    made: Graph,
    outputs: Mapping[str, Any] = OUTPUTS,
    form: Mapping[str, Any] = FORM,
    pinned: tuple[str, ...] = (),
    **statuses: NodeStatus,
) -> FormerRun:
    plan = plan_of(made)
    names = {node.id: node.index for node in plan.nodes}
    found = [statuses.get(node.id, NodeStatus.COMPLETED) for node in plan.nodes]
    return FormerRun(
        plan=plan,
        raw=raw(made),
        statuses=found,
        outputs={names[each]: pack(value) for each, value in outputs.items()},
        form=dict(form),
        pinned={names[each] for each in pinned},
    )


def taken(
    made: Graph,
    before: FormerRun,
    form: Mapping[str, Any] = FORM,
    pinned: Mapping[str, Any] | None = None,
    excluded: tuple[str, ...] = (),
) -> set[str]:
    """Return the ids of the nodes that are taken from the former run."""
    plan = plan_of(made)
    names = {node.id: node.index for node in plan.nodes}
    draft = DraftToRun(
        plan=plan,
        raw=raw(made),
        form=dict(form),
        pinned={names[each]: value for each, value in (pinned or {}).items()},
        excluded={names[each] for each in excluded},
    )
    found = find_unchanged(draft, before, lambda value: value)
    assert all(
        before.plan.nodes[other].id == plan.nodes[index].id for index, other in found.items()
    )
    return {plan.nodes[index].id for index in found}


ALL = {"call", "ask", "both"}


def test_an_edge_for_the_error_of_a_node_that_completed_changes_nothing_for_it() -> None:
    made = graph().node("none", "textBox", text="{{ a }}").wire("call.error-out > none.a")
    made.wire("none.text-out > out.result-in")

    assert taken(made, former(graph())) == ALL


def test_an_unchanged_graph_is_taken_but_for_its_ends() -> None:
    assert taken(graph(), former(graph())) == ALL


def test_other_inputs_change_what_reads_them() -> None:
    assert taken(graph(), former(graph()), FORM | {"who": "Eve"}) == set()
    assert taken(graph(), former(graph()), FORM | {"where": "there"}) == ALL


@pytest.mark.parametrize(
    ("node", "left"), [("call", set()), ("ask", {"call"}), ("both", {"call", "ask"})]
)
def test_another_setting_changes_the_node_and_what_follows(node: str, left: set[str]) -> None:
    changed = graph()
    raw(changed)[node]["data"]["timeoutSeconds"] = 7

    assert taken(changed, former(graph())) == left


def test_the_order_of_members_and_positions_change_nothing() -> None:
    other = graph()
    node = raw(other)["call"]
    node["data"] = dict(reversed(node["data"].items()))
    node["position"] = {"x": 9, "y": 9}

    assert taken(other, former(graph())) == ALL


def nested(place: int) -> Graph:
    """A form, a For Each with a node of its body at a place, and a call of a workflow."""
    body = upper_body()
    for each in body.nodes:
        each["position"] = {"x": place, "y": 0}
    graph = each_row(body).node("call", "subWorkflow", workflow="other")
    return graph.wire("each.results-out > call.rows")


def test_places_of_nodes_in_a_body_and_wires_from_children_change_nothing() -> None:
    outputs = {"rows": {"items-out": ["a"]}, "each": {"results-out": ["a!"], "errors-out": []}}
    before = former(nested(1), outputs | {"call": {"result-out": 1}})
    more = nested(2).wire("each.errors-out > out.result-in", "call.result-out > out.result-in")
    changed = nested(2)
    changed.nodes[1]["data"]["body"]["nodes"][1]["data"]["text"] = "{{ a }}?"

    assert taken(more, before) == {"rows", "each", "call"}
    assert taken(changed, before) == {"rows"}


def test_another_order_of_wires_changes_what_they_lead_to() -> None:
    other = graph()
    other.edges[2], other.edges[3] = other.edges[3], other.edges[2]

    assert taken(other, former(graph())) == {"call", "ask"}


@pytest.mark.parametrize("status", [NodeStatus.FAILED, NodeStatus.CANCELLED])
def test_what_did_not_complete_runs_with_all_that_follows(status: NodeStatus) -> None:
    assert taken(graph(), former(graph(), ask=status)) == {"call"}


def test_what_was_skipped_is_skipped_again() -> None:
    """The merge got one value, and gets that one again."""
    assert taken(graph(), former(graph(), ask=NodeStatus.SKIPPED)) == {"call", "both"}


def test_outputs_that_were_not_recorded_are_not_taken() -> None:
    assert taken(graph(), former(graph(), {"call": OUTPUTS["call"]})) == {"call"}


def test_a_rerun_node_runs() -> None:
    assert taken(graph(), former(graph()), excluded=("ask", "both")) == {"call"}


def test_pinned_outputs_count_by_their_value() -> None:
    same, other = {"call": {"response-out": 1}}, {"call": {"response-out": 2}}

    assert taken(graph(), former(graph()), pinned=same) == {"ask", "both"}
    assert taken(graph(), former(graph()), pinned=other) == set()
    assert taken(graph(), former(graph()), pinned={"call": {}}) == set()


def test_what_was_pinned_runs_where_it_is_not_pinned_again() -> None:
    before = former(graph(), pinned=("call",))

    assert taken(graph(), before) == set()
    assert taken(graph(), before, pinned={"call": {"response-out": 1}}) == {"ask", "both"}


def test_a_further_wire_needs_an_output_that_was_given() -> None:
    wider = graph().wire("ask.analysis-out > out.result-in")
    outputs = OUTPUTS | {"ask": {"text-out": "a", "analysis-out": "a"}}

    assert taken(wider, former(graph())) == {"call"}
    assert taken(wider, former(graph(), outputs)) == ALL


def test_a_wire_that_changes_what_a_call_means_changes_the_call() -> None:
    """With its status wired, a call does not fail by it."""
    wider = graph().wire("call.status-out > out.result-in")

    assert taken(wider, former(graph())) == set()


def test_new_and_renamed_nodes_run() -> None:
    other = graph().node("more", "textBox", text="x").wire("more.text-out > out.result-in")

    assert taken(other, former(graph())) == ALL


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}, True),
        (True, 1, False),
        (None, 0, False),
        ("1", 1, False),
        ([1, 2], [2, 1], False),
    ],
)
def test_values_are_compared_as_json(one: Any, other: Any, same: bool) -> None:
    assert is_same(one, other) is same


@pytest.mark.parametrize("value", ["x" * 900_000, ["x"] * 50_000], ids=["text", "list"])
def test_one_large_value_is_compared_once_for_all_of_its_nodes(value: Any) -> None:
    wide = Graph("who").node("all", "merge", mode="all").node("out", "responseOutput")
    names = {f"t{number}" for number in range(300)}
    for name in sorted(names):
        wide.node(name, "textBox", text="{{ a }}").wire(f"in.who > {name}.a")
        wide.wire(f"{name}.text-out > all.value-in")
    wide.wire("all.value-out > out.result-in")
    form = {"who": value, "params": {}}
    before = former(wide, {name: {"text-out": "a"} for name in names}, form)

    with cpu_limit(1.0):
        assert taken(wide, before, form) == names
