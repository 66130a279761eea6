"""Costs of runs: reserved before a charged node runs, taken once when it has finished."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.access.capabilities import Role, Tier
from engine.access.tiers import load
from engine.errors import GrantExhausted, InsufficientCredits
from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.models.registry import use_models
from tests.support.factories import Graph
from tests.support.manifests import ANSWER, model
from tests.support.workers.paying_account import (
    PRICE,
    PayingAccount,
    answer,
    costs,
    fan,
    model_node,
)

COUNTED = (
    '[[fields]]\nname = "prompt"\ntype = "text"\nrequired = true\n'
    '[[fields]]\nname = "count"\ntype = "number"\nmin = 1\nmax = 15\ndefault = 1\n'
)
PER_IMAGE = '[[pricing]]\nunit = "image"\nusd = "0.010"\nfield = "count"\n'


def chain(*, retry: Any = None) -> Graph:
    """Return a graph: a charged node, a call with its answer, and another charged node."""
    graph = model_node(Graph(), "one")
    graph.node("call", "httpRequest", method="POST", url="https://example.com/")
    model_node(graph, "two", **({"retry": retry} if retry else {}))
    graph.node("shape", "transform", expression="{'prompt': 'two'}")
    graph.wire("one.text-out > call.body-in", "call.response-out > shape.value-in")
    return answer(graph.wire("shape.value-out > two.params-in"), "two")


def fan_behind_one(count: int) -> Graph:
    """Return a graph: a charged node, then one with `count` calls of a model and one more."""
    graph = model_node(Graph(), "one")
    graph.node("list", "list", items=[{"value": f"{n}", "included": True} for n in range(count)])
    return answer(unforeseen(graph.wire("one.text-out > list.items-in")), "many")


def unforeseen(graph: Graph) -> Graph:
    """Return a graph with a call for each item of a list of unknown length."""
    graph.node("same", "transform", expression="value")
    graph.node("many", "customModel", model="echo")
    return graph.wire("list.items-out > same.value-in", "same.value-out > many.prompt-in")


async def test_a_list_of_five_holds_five_prices_before_it_runs(payer: PayingAccount) -> None:
    payer.models.held = {f"many{number}" for number in range(5)}

    execution_id = await payer.begin(answer(fan(Graph(), "many", 5), "many"))
    await payer.models.called(5)
    waiting = await payer.wallet()
    payer.models.open()
    execution = await payer.end(execution_id)

    assert (waiting.balance, waiting.reserved) == (1_000 - 5 * PRICE, 5 * PRICE)
    assert costs(execution) == [5 * PRICE]
    assert execution.micro_usd == 50_000
    assert await payer.paid(5 * PRICE)


async def test_an_estimate_that_is_not_covered_is_refused_before_anything_runs(
    payer: PayingAccount,
) -> None:
    payer.allow(2 * PRICE - 1)

    with pytest.raises(InsufficientCredits) as refused:
        await payer.begin(chain())

    assert refused.value.context == {"required": 2 * PRICE, "balance": 2 * PRICE - 1}
    assert await payer.paid(0)


async def test_a_node_that_the_balance_cannot_pay_ends_the_run_and_finished_ones_are_paid(
    payer: PayingAccount,
) -> None:
    payer.allow(6 * PRICE - 1)

    execution = await payer.run(fan_behind_one(4))

    assert execution.status is ExecutionStatus.FAILED
    assert execution.error is not None
    assert execution.error["code"] == "INSUFFICIENT_CREDITS"
    assert execution.error["nodeId"] == "many"
    assert payer.models.calls == ["one"]
    assert costs(execution) == [PRICE]
    assert execution.credits_cost == PRICE
    assert execution.result is None
    assert await payer.paid(PRICE)


async def test_a_node_that_the_balance_can_just_pay_runs(payer: PayingAccount) -> None:
    payer.allow(6 * PRICE)

    execution = await payer.run(fan_behind_one(4))

    assert execution.status is ExecutionStatus.COMPLETED
    assert costs(execution) == [PRICE, 5 * PRICE]
    assert await payer.paid(6 * PRICE)


async def test_nodes_beside_one_that_cannot_be_paid_are_stopped_and_cost_nothing(
    payer: PayingAccount,
) -> None:
    payer.allow(7 * PRICE - 1)
    payer.models.held = {"slow"}
    graph = fan_behind_one(4)
    model_node(graph, "slow").wire("slow.text-out > out.result-in")

    execution = await payer.run(graph)

    assert execution.error is not None
    assert execution.error["code"] == "INSUFFICIENT_CREDITS"
    assert sorted(payer.models.calls) == ["one", "slow"]
    assert costs(execution) == [PRICE]
    assert await payer.paid(PRICE)


async def test_a_run_stops_before_the_node_that_would_pass_max_credits(
    payer: PayingAccount,
) -> None:
    execution = await payer.run(fan_behind_one(4), max_credits=6 * PRICE - 1)

    assert execution.error is not None
    assert execution.error["code"] == "MAX_CREDITS_EXCEEDED"
    assert execution.error["nodeId"] == "many"
    assert payer.models.calls == ["one"]
    assert execution.credits_cost == PRICE
    assert await payer.paid(PRICE)


async def test_nodes_that_run_at_the_same_time_count_together_for_max_credits(
    payer: PayingAccount,
) -> None:
    payer.models.held = {"beside"}
    graph = Graph().node("list", "list", items=[{"value": f"{n}"} for n in range(4)])
    model_node(unforeseen(graph), "beside")

    execution = await payer.run(answer(graph, "many", "beside"), max_credits=5 * PRICE - 1)

    assert execution.error is not None
    assert execution.error["code"] == "MAX_CREDITS_EXCEEDED"
    assert execution.credits_cost == 0
    assert await payer.paid(0)


async def test_a_run_may_cost_max_credits_to_the_last_one(payer: PayingAccount) -> None:
    execution = await payer.run(fan_behind_one(4), max_credits=6 * PRICE)

    assert execution.status is ExecutionStatus.COMPLETED
    assert execution.credits_cost == 6 * PRICE


async def test_a_node_that_is_tried_three_times_is_paid_once(payer: PayingAccount) -> None:
    payer.allow(PRICE)
    payer.models.failures["one"] = 2
    retry = {"attempts": 3, "backoff": 0.01}

    execution = await payer.run(answer(model_node(Graph(), "one", retry=retry), "one"))

    assert payer.models.calls == ["one"] * 3
    assert costs(execution) == [PRICE]
    assert execution.micro_usd == 10_000
    assert await payer.paid(PRICE)


async def test_a_node_that_fails_for_good_costs_nothing_and_earlier_nodes_do(
    payer: PayingAccount,
) -> None:
    payer.models.failures["two"] = 99
    payer.held_walker.gate.opened.set()

    execution = await payer.run(chain(retry={"attempts": 2, "backoff": 0.01}))

    assert execution.status is ExecutionStatus.FAILED
    assert payer.models.calls == ["one", "two", "two"]
    assert costs(execution) == [PRICE]
    assert await payer.paid(PRICE)


async def test_one_failed_item_of_a_list_makes_the_whole_node_free(payer: PayingAccount) -> None:
    payer.models.failures["many3"] = 1

    execution = await payer.run(answer(fan(Graph(), "many", 5), "many"))

    assert execution.status is ExecutionStatus.FAILED
    assert execution.credits_cost == execution.micro_usd == 0
    assert await payer.paid(0)


async def test_a_failed_node_that_the_run_goes_on_after_costs_nothing(payer: PayingAccount) -> None:
    payer.models.failures["one"] = 1
    graph = model_node(Graph(), "one", onError="continue")

    execution = await payer.run(answer(model_node(graph, "two"), "one", "two"))

    assert execution.status is ExecutionStatus.COMPLETED
    assert execution.credits_cost == PRICE
    assert await payer.paid(PRICE)


# -- trials ----------------------------------------------------------------------------------------


async def test_a_trial_is_given_back_when_its_model_fails_and_spent_when_it_answers(
    payer: PayingAccount,
) -> None:
    payer.terms = load().terms(Tier.FREE, Role.USER)
    tried = model("tried", call=ANSWER + "[trial]\nruns = 1\n")
    graph = answer(Graph().node("one", "customModel", model="tried", prompt="one"), "one")
    payer.models.failures["one"] = 1

    with use_models([tried]):
        failed = await payer.run(graph)
        done = await payer.run(graph)
        with pytest.raises(GrantExhausted):
            await payer.run(graph)

    assert (failed.status, done.status) == ("failed", "completed")
    assert (done.credits_cost, done.micro_usd) == (0, 10_000)
    assert await payer.paid(0)


async def test_a_trial_reserves_nothing_so_that_it_needs_no_credits(payer: PayingAccount) -> None:
    payer.terms = replace(load().terms(Tier.FREE, Role.USER), allowance=0)
    tried = model("tried", call=ANSWER + "[trial]\nruns = 1\n")
    graph = answer(Graph().node("one", "customModel", model="tried", prompt="one"), "one")

    with use_models([tried]):
        done = await payer.run(graph)

    assert (done.status, done.credits_cost) == ("completed", 0)
    assert (await payer.store.wallets.entries(payer.account.id, 10)).entries == ()


# -- nothing for nothing ----------------------------------------------------------------------


@pytest.mark.A33
async def test_an_output_is_charged_before_it_goes_anywhere(payer: PayingAccount) -> None:
    execution_id = await payer.begin(chain())
    await payer.held_walker.gate.called(1)

    running = await payer.store.executions.get(payer.account.id, execution_id)
    payer.held_walker.gate.opened.set()
    execution = await payer.end(execution_id)

    assert running.credits_cost == PRICE
    assert execution.credits_cost == 2 * PRICE


@pytest.mark.A33
@pytest.mark.parametrize(
    ("stage", "finished"), [("accepted", 0), ("one", 0), ("call", 1), ("two", 1), ("end", 2)]
)
async def test_a_cancel_at_any_stage_leaves_nothing_to_read_that_was_not_paid(
    stage: str, finished: int, payer: PayingAccount
) -> None:
    payer.models.held = {stage}
    begin = payer.accept if stage == "accepted" else payer.begin
    execution_id = await begin(chain())
    await reach(payer, stage, execution_id)

    if stage != "end":
        await payer.store.executions.cancel(payer.account.id, execution_id)
        payer.held_walker.walker.cancel(payer.reference(execution_id))
    execution = await payer.end(execution_id)

    is_whole = stage == "end"
    assert execution.status is (
        ExecutionStatus.COMPLETED if is_whole else ExecutionStatus.CANCELLED
    )
    assert execution.result == ({"text": "<two>"} if is_whole else None)
    assert costs(execution) == [PRICE] * finished
    assert await payer.paid(PRICE * finished)


async def reach(payer: PayingAccount, stage: str, execution_id: str) -> None:
    """Wait until the run has reached the stage."""
    if stage == "one":
        await payer.models.called(1)
    if stage in ("call", "two", "end"):
        await payer.held_walker.gate.called(1)
    if stage in ("two", "end"):
        payer.held_walker.gate.opened.set()
        await payer.models.called(2)
    if stage == "end":
        await payer.end(execution_id)


@pytest.mark.A32
@pytest.mark.parametrize("count", [5, 1_000, 10_001])
async def test_a_list_from_the_input_cannot_pass_the_balance(
    count: int, payer: PayingAccount
) -> None:
    payer.allow(5 * PRICE - 1)

    execution = await payer.run(from_data(), {"items": ["again"] * count})

    assert execution.status is ExecutionStatus.FAILED
    assert execution.error is not None
    assert execution.error["code"] == "INSUFFICIENT_CREDITS"
    assert payer.models.calls == []
    assert await payer.paid(0)


async def test_an_empty_list_from_the_input_costs_nothing(payer: PayingAccount) -> None:
    payer.allow(PRICE)

    execution = await payer.run(from_data(), {"items": []})

    assert execution.status is ExecutionStatus.COMPLETED
    assert await payer.paid(0)


def from_data() -> Graph:
    """Return a graph with a model call for each item that the caller sends."""
    fields = [{"name": "items", "label": "Items", "type": "json"}]
    graph = Graph().node("in", "requestInput", fields=fields)
    graph.node("items", "transform", expression="value.items")
    graph.node("many", "customModel", model="echo")
    graph.wire("in.params > items.value-in", "items.value-out > many.prompt-in")
    return answer(graph, "many")


@pytest.mark.A32
@pytest.mark.parametrize(
    ("count", "held", "charged"),
    [(1, 1, 1), (15, 15, 15), (16, 15, 0), (1e300, 15, 0), (0, 0, 0), (-5, 0, 0), ("7", 15, 0)],
)
async def test_a_count_from_data_is_held_and_charged_within_its_bounds(
    count: Any, held: int, charged: int, payer: PayingAccount
) -> None:
    counted = model("counted", category="image", fields=COUNTED, pricing=PER_IMAGE)
    fields = [{"name": "given", "label": "Given", "type": "json"}]
    graph = Graph().node("in", "requestInput", fields=fields)
    graph.node("params", "transform", expression="value.given")
    graph.node("make", "customModel", model="counted", prompt="make").node("out", "responseOutput")
    graph.wire("in.params > params.value-in", "params.value-out > make.params-in")
    graph.wire("make.image-out > out.result-in")
    payer.allow(PRICE * max(held, 1))
    payer.models.held = {"make"}

    with use_models([counted]):
        execution_id = await payer.begin(graph, {"given": {"count": count}})
        if charged:
            await payer.models.called(1)
            assert (await payer.wallet()).reserved == held * PRICE
        payer.models.open()
        execution = await payer.end(execution_id)

    assert execution.status is (ExecutionStatus.COMPLETED if charged else ExecutionStatus.FAILED)
    assert execution.credits_cost == charged * PRICE
    assert execution.markup == Decimal("1.3")
    assert await payer.paid(charged * PRICE)


@pytest.mark.A32
async def test_runs_that_spend_together_never_pass_the_balance(payer: PayingAccount) -> None:
    payer.allow(33 * PRICE)
    slug = await payer.runner.save(answer(fan(Graph(), "many", 3), "many"))

    async def run() -> Execution | None:
        try:
            execution_id = await payer.runner.begin(slug, terms=payer.terms)
        except InsufficientCredits:
            return None
        payer.held_walker.walker.take_hint(payer.reference(execution_id))
        return await payer.end(execution_id)

    ended = await asyncio.gather(*(run() for _ in range(20)))

    paid = [each.credits_cost for each in ended if each]
    assert set(paid) <= {0, 3 * PRICE}
    assert 0 < sum(paid) <= 33 * PRICE
    assert await payer.paid(sum(paid))
