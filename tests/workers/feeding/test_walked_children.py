"""Children that are walked as they begin look like those that are walked with a claim."""

from collections.abc import Mapping
from typing import Any

import pytest

from engine.ids.executions import child_execution_id
from engine.services.runs.node_values import read_node
from engine.services.runs.pure_children import walk_none
from engine.settings import Settings
from tests.support.factories import Graph, Runner
from tests.support.graphs.nested_graphs import per_item
from workers import main
from workers.main import worker

ITEMS = ["one", "two", "x" * 300_000, "four"]


def lone_value() -> Graph:
    """One text, whose result is plain only for the parent."""
    graph = Graph("who").node("a", "textBox", text="A {{v}}").node("b", "textBox", text="B {{v}}")
    graph.node("out", "responseOutput")
    return graph.wire("in.who > a.v", "a.text-out > b.v", "b.text-out > out.result-in")


def pure_body() -> Graph:
    """Two texts of the item, as named values of the result."""
    graph = Graph("who").node("a", "textBox", text="A {{v}}").node("b", "textBox", text="B {{v}}")
    graph.node("out", "responseOutput", fields=[{"name": "first"}, {"name": "second"}])
    graph.wire("in.who > a.v", "a.text-out > b.v")
    return graph.wire("a.text-out > out.first", "b.text-out > out.second")


async def run(
    runner: Runner, settings: Settings, body: Graph
) -> tuple[Any, list[Mapping[str, Any]]]:
    """Run over the items; return the result, and what is seen of each child."""
    async with worker(settings):
        root_id = await runner.begin(await runner.save(per_item(body)), {"items": ITEMS})
        root = await runner.end(root_id, 60)
    store, account_id = runner.store, runner.account.id
    seen = []
    for index in range(len(ITEMS)):
        child_id = child_execution_id(root_id, "each", index)
        child = await store.executions.get(account_id, child_id)
        nodes = [await read_node(store, account_id, child_id, name) for name in ("a", "b", "out")]
        seen.append(
            {
                "status": child.status,
                "result": child.result,
                "credits": child.credits_cost,
                "nodes": [(each.node.status, each.inputs, each.outputs) for each in nodes],
            }
        )
    return root.result, seen


@pytest.mark.parametrize(
    ("body", "second"),
    [(pure_body(), {"first": "A two", "second": "B A two"}), (lone_value(), "B A two")],
)
async def test_they_look_the_same(
    runner: Runner, settings: Settings, monkeypatch: pytest.MonkeyPatch, body: Graph, second: Any
) -> None:
    walked, seen = await run(runner, settings, body)
    monkeypatch.setattr(main, "open_pure_walk", lambda: walk_none)
    claimed, seen_claimed = await run(runner, settings, body)

    assert walked == claimed
    assert seen == seen_claimed
    assert walked["results"][1] == second
