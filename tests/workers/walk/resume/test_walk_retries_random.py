"""Retries of failed executions: nothing is called, charged or computed twice."""

import os
from collections import Counter

import pytest

from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.graph.plan import Plan
from tests.support.workers.paying_account import PRICE, PayingAccount
from tests.support.workers.retried_runs import FailingModels, RetriedGraph, expected_calls, retry

SMOKE = range(10)
FIRST_SEED = int(os.environ.get("RETRY_SEED", "1000"))
MANY = range(FIRST_SEED, FIRST_SEED + 200)
MAX_RETRIES = 4


async def play(payer: PayingAccount, seed: int) -> Counter[str]:
    """Run a random graph, and retry it until it completes. Returns figures of the retries."""
    graph = RetriedGraph(seed)
    models = FailingModels(graph.failing)
    payer.models.substitute = models.call
    before = await payer.wallet()
    slug = await payer.runner.save(graph.graph)
    _, plan = await payer.store.workflows.plan(slug)
    assert plan is not None
    execution_id = await payer.runner.begin(slug, {"who": "Ada"}, terms=payer.terms)
    payer.held_walker.walker.take_hint(payer.reference(execution_id))
    runs, figures = [await payer.end(execution_id)], Counter[str]()

    while runs[-1].status is ExecutionStatus.FAILED:
        assert len(runs) <= MAX_RETRIES
        left = await expected_calls(payer, graph, runs[-1], plan)
        models.calls.clear()
        runs.append(await retry(payer, runs[-1].id))
        figures += check_retry(graph, plan, runs[-1], left, models.calls)

    assert runs[-1].status is ExecutionStatus.COMPLETED
    check_calls(plan, runs, models)
    spent = sum(run.credits_cost for run in runs)
    after = await payer.wallet()
    assert (before.balance - after.balance, after.reserved) == (spent, 0)
    return figures


def check_retry(
    graph: RetriedGraph, plan: Plan, run: Execution, left: dict[str, int], calls: Counter[str]
) -> Counter[str]:
    """Compare the calls and the charge of a retry with those of the nodes that it ran."""
    figures = Counter(retries=1, calls=calls.total(), credits=run.credits_cost)
    for node in (each for each in run.nodes if plan.nodes[each.index].id in graph.items):
        name = plan.nodes[node.index].id
        if not node.attempts:
            assert (calls[name], node.credits_cost) == (0, 0)
        elif node.status is NodeStatus.COMPLETED:
            assert (calls[name], node.credits_cost) == (left[name], PRICE * graph.items[name])
            figures["credits of affected nodes"] += node.credits_cost
        else:
            assert (calls[name] <= left[name], node.credits_cost) == (True, 0)
        figures["calls of affected nodes"] += calls[name] if node.attempts else 0
    assert run.credits_cost == figures["credits of affected nodes"]
    return figures


def check_calls(plan: Plan, runs: list[Execution], models: FailingModels) -> None:
    """Check that each node was charged once at most, and each call answered once.

    Only a call that was under way when its execution failed is answered again.
    """
    for node in plan.nodes:
        assert sum(run.nodes[node.index].credits_cost > 0 for run in runs) <= 1
    again = {prompt.partition(": ")[0] for prompt, n in models.succeeded.items() if n > 1}
    interrupted = {
        plan.nodes[node.index].id
        for run in runs
        for node in run.nodes
        if node.status is NodeStatus.CANCELLED
    }
    assert again <= interrupted


@pytest.mark.parametrize("seed", SMOKE)
async def test_a_retry_calls_and_charges_the_affected_nodes_alone(
    payer: PayingAccount, seed: int
) -> None:
    payer.allow(100_000)

    await play(payer, seed)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_many_retries_call_and_charge_the_affected_nodes_alone(payer: PayingAccount) -> None:
    payer.allow(10_000_000)
    figures = Counter[str]()

    for seed in MANY:
        print("seed", seed)
        figures += await play(payer, seed)

    print(dict(figures))
    assert figures["retries"] >= len(MANY) / 2
    assert figures["calls"] == figures["calls of affected nodes"]
    assert figures["credits"] == figures["credits of affected nodes"]
