"""Digest of what a plan means to records."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from engine.graph import plan_digest as module
from engine.graph.model_plan import NAMES
from engine.graph.plan import Node, NodeName, Plan, compile_plan
from engine.graph.plan_digest import plan_digest, types_digest
from engine.nodes import node_type

NODES: list[dict[str, Any]] = [
    {"id": "form", "type": "requestInput", "data": {"fields": []}},
    {"id": "a", "type": "textBox", "data": {"text": "one"}},
    {"id": "b", "type": "textBox", "data": {"text": "two {{ a }}"}},
    {"id": "out", "type": "responseOutput", "data": {}},
]
EDGES: list[dict[str, Any]] = [
    {
        "id": "1",
        "source": "a",
        "sourceHandle": "text-out",
        "target": "b",
        "targetHandle": "a",
    },
    {
        "id": "2",
        "source": "b",
        "sourceHandle": "text-out",
        "target": "out",
        "targetHandle": "result-in",
    },
]


def compiled(nodes: list[dict[str, Any]] = NODES, edges: list[dict[str, Any]] = EDGES) -> Plan:
    return compile_plan(nodes, edges)


class Changed:
    """Node type of a later release, whose semantics have changed."""

    semantics = 2

    def __init__(self, former: Any) -> None:
        self._former = former

    def __getattr__(self, name: str) -> Any:
        return getattr(self._former, name)


def with_node(plan: Plan, index: int, **members: Any) -> Plan:
    nodes: list[Node] = list(plan.nodes)
    nodes[index] = replace(nodes[index], **members)
    return replace(plan, nodes=tuple(nodes), derived={})


CHANGES: Mapping[str, Callable[[Plan], Plan]] = {
    "order": lambda plan: compiled([NODES[2], NODES[1], NODES[0], NODES[3]]),
    "id": lambda plan: with_node(plan, 0, id="other"),
    "semantics": lambda plan: with_node(plan, 1, type=Changed(plan.nodes[1].type)),
    "edges": lambda plan: with_node(plan, 2, in_edges=()),
    "reached nodes": lambda plan: replace(plan, reachable=frozenset({3}), derived={}),
    "result": lambda plan: replace(plan, response_output=None, result_node=2, derived={}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_changes_with_what_a_record_means(change: str) -> None:
    plan = compiled()

    assert plan_digest(CHANGES[change](plan)) != plan_digest(plan)


def test_it_is_the_same_for_settings_and_positions_that_no_record_depends_on() -> None:
    texts = [{**node, "data": {**node["data"], "note": "x"}, "position": {}} for node in NODES]

    assert plan_digest(compiled(texts)) == plan_digest(compiled())


def test_it_changes_with_the_rules_for_all_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    before = plan_digest(compiled()), types_digest(NAMES)

    monkeypatch.setattr(module, "PLAN_SEMANTICS", 2)

    assert plan_digest(compiled()) != before[0]
    assert types_digest(NAMES) != before[1]


def test_the_digest_of_types_knows_neither_order_nor_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    several = [*NAMES, *(NodeName(id="x", type=name.type) for name in reversed(NAMES))]
    before = types_digest(NAMES)

    assert types_digest(several) == before
    assert types_digest(NAMES[1:]) != before
    assert types_digest([*NAMES, NodeName(id="n", type="of-a-later-release")]) != before
    changed = Changed(node_type("customModel"))
    monkeypatch.setattr(
        module, "node_type", lambda name: changed if name == "customModel" else node_type(name)
    )
    assert types_digest(NAMES) != before


def test_digests_on_record_stay_what_they_are() -> None:
    """A failure says that executions on record would fit no worker of this release."""
    assert plan_digest(compiled()) == "AcyOYkJk"
    assert types_digest(NAMES) == "rUyeljRS"
