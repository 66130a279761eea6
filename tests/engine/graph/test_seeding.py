"""First statuses of executions in which nodes are settled from the start."""

import pytest

from engine.executions.statuses import NodeStatus, format_node_statuses
from engine.graph.plan import compile_plan
from engine.graph.progress import initial_statuses
from engine.graph.seeding import seeded_statuses
from tests.support.factories import Graph

CHAIN = Graph("who").node("a", "textBox", text="{{ x }}").node("b", "textBox", text="{{ x }}")
CHAIN.node("beside", "textBox", text="x").node("out", "responseOutput")
CHAIN.wire("in.who > a.x", "a.text-out > b.x", "b.text-out > out.result-in")
PLAN = compile_plan(CHAIN.nodes, CHAIN.edges)
IDS = [node.id for node in PLAN.nodes]


def statuses(**settled: NodeStatus) -> dict[str, str]:
    """Return the code of each node's first status."""
    found = seeded_statuses(PLAN, {IDS.index(name): each for name, each in settled.items()})
    return dict(zip(IDS, format_node_statuses(found), strict=True))


def test_without_settled_nodes_all_that_lead_to_the_output_wait() -> None:
    assert seeded_statuses(PLAN, {}) == initial_statuses(PLAN)


def test_what_only_settled_nodes_need_is_skipped() -> None:
    assert statuses(b=NodeStatus.COMPLETED) == {
        "in": "s",
        "a": "s",
        "b": "c",
        "beside": "s",
        "out": "p",
    }


def test_settled_nodes_keep_their_status() -> None:
    assert statuses(a=NodeStatus.FAILED, b=NodeStatus.COMPLETED)["a"] == "f"


@pytest.mark.parametrize("status", [NodeStatus.COMPLETED, NodeStatus.FAILED])
def test_a_settled_node_that_leads_nowhere_is_skipped(status: NodeStatus) -> None:
    assert statuses(beside=status)["beside"] == "s"
