"""Checks of graphs with the expressions in them."""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any

import pytest

from engine.services.workflows.graph_checks import LARGE_GRAPH, GraphChecker
from engine.values import cel
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.graphs.graph_text import node


@pytest.fixture
async def checker() -> AsyncIterator[GraphChecker]:
    async with GraphChecker.open(allow_private=False) as checker:
        yield checker


async def faults(
    checker: GraphChecker, nodes: Sequence[Mapping[str, Any]]
) -> list[tuple[str | None, str | None]]:
    graph = await checker.examine("a", nodes, [], {})
    return [(each.node_id, each.field) for each in graph.problems]


SOUND = node("sound", "transform", expression="value + 1.0")
WRONG = node("wrong", "transform", expression="value +")
CASES = node(
    "cases", "switch", cases=[{"name": "a", "when": "true"}, {"name": "b", "when": "'text'"}]
)


async def test_expressions_are_checked_with_the_other_settings_in_the_order_of_the_nodes(
    checker: GraphChecker,
) -> None:
    other = node("other", "list", mode="none such")

    assert await faults(checker, [WRONG, other, SOUND, CASES]) == [
        ("wrong", "expression"),
        ("other", "mode"),
        ("cases", "cases[1].when"),
    ]


async def test_a_node_with_a_wrong_expression_is_not_sound(checker: GraphChecker) -> None:
    graph = await checker.examine("a", [SOUND, WRONG], [], {})

    assert graph.nodes["sound"].type is not None
    assert graph.nodes["wrong"].type is None


async def test_all_nodes_with_one_expression_are_told(checker: GraphChecker) -> None:
    again = {**WRONG, "id": "again"}

    assert await faults(checker, [WRONG, again]) == [
        ("wrong", "expression"),
        ("again", "expression"),
    ]


async def test_each_node_sees_its_own_variables(checker: GraphChecker) -> None:
    with_name = node("a", "transform", expression="price", variables=["price"])
    without = node("b", "transform", expression="price")

    found = await faults(checker, [with_name, without])

    assert ("b", "expression") in found and ("a", "expression") not in found


async def test_this_process_compiles_nothing(
    checker: GraphChecker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cel, "check", None)
    monkeypatch.setattr(cel, "_compile", None)
    many = [node(f"n{at}", "transform", expression=f"value + {at}.0") for at in range(LARGE_GRAPH)]

    assert await faults(checker, [*many, WRONG]) == [("wrong", "expression")]


@pytest.mark.A91f
async def test_large_graphs_of_an_account_are_examined_one_after_another_beside_those_of_others(
    checker: GraphChecker,
) -> None:
    begun, go_on = list[str](), threading.Event()

    def work(name: str) -> str:
        begun.append(name)
        go_on.wait(PATIENCE_SECONDS)
        return name

    async def number() -> int:
        return len(begun)

    names = ("a1", "a2", "a3", "b1")
    asked = [
        asyncio.create_task(checker.compute(name[0], LARGE_GRAPH, partial(work, name)))
        for name in names
    ]
    try:
        await eventually(number, lambda found: found == 2)
        assert sorted(begun) == ["a1", "b1"]
    finally:
        go_on.set()

    assert await asyncio.gather(*asked) == list(names)
