"""Node types that wait: what they have in common."""

import pytest

from engine.graph.plan import compile_plan
from engine.nodes import NODE_TYPES
from engine.nodes.catalogue import WAITS_FOR_SCHEMA, list_node_types
from engine.nodes.support.base import WorkKind
from engine.nodes.support.settings import Faults
from engine.nodes.support.waits import WaitingNode, refuse_retry
from tests.support.factories import Graph
from tests.support.nodes.node_context import FakeContext

WAITING = [kind for kind in NODE_TYPES if isinstance(kind, WaitingNode)]


def test_they_are_kept_for_stores_that_only_later_releases_use() -> None:
    entries = {entry.type: entry for entry in list_node_types(lambda version: version < 2)}

    assert [kind.type for kind in WAITING] == ["delay", "approval"]
    assert {kind.kind for kind in WAITING} == {WorkKind.WAIT}
    assert {entries[kind.type].unavailable_reason for kind in WAITING} == {WAITS_FOR_SCHEMA}
    assert {each.unavailable_reason for each in list_node_types() if each.type == "delay"} == {None}


def test_retry_is_a_fault_even_with_one_attempt() -> None:
    faults = Faults()

    refuse_retry({"retry": None}, faults)
    refuse_retry({"retry": {"attempts": 1}}, faults)

    assert [each.reason for each in faults.found] == ["retry: a node that waits has one attempt"]


def test_no_run_with_one_ends_before_it_is_claimed() -> None:
    graph = Graph().node("out", "responseOutput")
    for kind, data in (("delay", {"seconds": 0}), ("approval", {})):
        graph.node(kind, kind, **data).wire(f"{kind}.error-out > out.result-in")

    plan = compile_plan(graph.nodes, graph.edges)

    assert not plan.is_pure
    assert not any(edge.is_fixed for node in plan.nodes for edge in node.in_edges)


async def test_no_worker_runs_them() -> None:
    for kind in WAITING:
        with pytest.raises(AssertionError, match="walked by its wait"):
            await kind.run(None, {}, FakeContext())
