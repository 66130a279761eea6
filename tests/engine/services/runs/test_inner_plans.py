"""Plans of called workflows, for estimates."""

from decimal import Decimal

import pytest

from engine.graph.document import parse_document
from engine.graph.plan import compile_plan
from engine.models.registry import use_models
from engine.nodes.support.children import Callee
from engine.services.runs import inner_plans
from engine.services.runs.inner_plans import estimate_workflow, find_inner_plans, inner_plans_of
from engine.store import Account, Store
from tests.support.factories import Graph, greeting
from tests.support.graphs.nested import calling, each_row
from tests.support.manifests import model


async def save(store: Store, account: Account, name: str, graph: Graph) -> None:
    await store.workflows.create(account.id, parse_document(graph.body(name)), [])


async def test_plans_are_found_over_any_number_of_steps(store: Store, account: Account) -> None:
    await save(store, account, "a", greeting())
    await save(store, account, "b", calling("a"))
    await save(store, account, "c", each_row(calling("b", field="row", version=1)))
    graph = calling("c").node("gone", "subWorkflow", workflow="gone")
    graph.wire("gone.result-out > out.result-in")

    found = await inner_plans_of(store, account.id, compile_plan(graph.nodes, graph.edges))

    assert set(found) == {Callee("c"), Callee("b", 1), Callee("a")}
    assert [node.id for node in found[Callee("a")].nodes] == ["in", "t0", "out"]


async def test_loops_end_and_versions_that_are_gone_are_left_out(
    store: Store, account: Account
) -> None:
    await save(store, account, "a", calling("a"))

    found = await find_inner_plans(store, account.id, [Callee("a"), Callee("a", 7)])

    assert set(found) == {Callee("a")}


async def test_a_limited_number_of_workflows_is_counted(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inner_plans, "MAX_PLANS", 1)
    for name in "ab":
        await save(store, account, name, greeting())

    assert len(await find_inner_plans(store, account.id, [Callee("a"), Callee("b")])) == 1


async def test_an_estimate_counts_called_workflows(store: Store, account: Account) -> None:
    asking = Graph().node("m", "customModel", model="own", prompt="Hello")
    asking.node("out", "responseOutput").wire("m.text-out > out.result-in")
    with use_models([model()]):
        await save(store, account, "a", asking)
        graph = calling("a")
        plan = compile_plan(graph.nodes, graph.edges)

        assert await estimate_workflow(store, account.id, plan, Decimal(1)) == 10
