"""Costs of runs whose workers die, return late or share them."""

from engine.executions.rows import NodeRow
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.store.executions.advance import Charge, Step, Verdict
from engine.store.executions.claim import ClaimedExecution
from engine.store.redis.record_packing import pack
from tests.support.factories import Graph
from tests.support.workers.held_walker import HeldWalker
from tests.support.workers.paying_account import PRICE, PayingAccount, answer, costs, model_node

OTHER = "worker-2"


async def claim_first(payer: PayingAccount, execution_id: str) -> ClaimedExecution:
    """Claim the first charged node and reserve its price as another worker."""
    claimed = await payer.store.walks.claim(payer.reference(execution_id), OTHER)
    assert claimed is not None
    begun = await payer.store.walks.advance(
        claimed.lease, 1, Step(claimed=[0], reservations={0: PRICE})
    )
    assert begun.verdict is Verdict.OK
    return claimed


async def test_a_charged_node_whose_worker_dies_is_paid_once(payer: PayingAccount) -> None:
    payer.allow(PRICE)
    execution_id = await payer.accept(answer(model_node(Graph(), "one"), "one"))
    claimed = await claim_first(payer, execution_id)

    await payer.store.walks.give_back(claimed.reference, OTHER, is_lost=True)
    payer.held_walker.walker.take_hint(claimed.reference)
    execution = await payer.end(execution_id)

    assert execution.status is ExecutionStatus.COMPLETED
    assert execution.nodes[0].attempts == 2
    assert costs(execution) == [PRICE]
    assert await payer.paid(PRICE)


async def test_a_worker_that_comes_back_late_charges_nothing(payer: PayingAccount) -> None:
    execution_id = await payer.accept(answer(model_node(Graph(), "one"), "one"))
    claimed = await claim_first(payer, execution_id)
    row = NodeRow(0, 1, claimed.now, 1, None, pack({"text-out": "theirs"}))
    step = Step(settled=[(0, NodeStatus.COMPLETED)], rows=[row], charges={0: Charge(PRICE, 10_000)})

    await payer.store.walks.give_back(claimed.reference, OTHER, is_lost=True)
    payer.models.held = {"one"}
    payer.held_walker.walker.take_hint(claimed.reference)
    await payer.models.called(1)
    early = await payer.store.walks.advance(claimed.lease, 2, step)
    payer.models.open()
    execution = await payer.end(execution_id)
    late = await payer.store.walks.advance(claimed.lease, 2, step)

    assert (early.verdict, late.verdict) == (Verdict.FENCED, Verdict.ENDED)
    assert execution.result == {"text": "<one>"}
    assert costs(execution) == [PRICE]
    assert await payer.paid(PRICE)


async def test_a_step_that_arrives_twice_charges_once(payer: PayingAccount) -> None:
    execution_id = await payer.accept(answer(model_node(Graph(), "one"), "one"))
    claimed = await claim_first(payer, execution_id)
    row = NodeRow(0, 1, claimed.now, 1, None, pack({"text-out": "theirs"}))
    step = Step(
        settled=[(0, NodeStatus.COMPLETED)],
        rows=[row],
        charges={0: Charge(PRICE, 10_000)},
        leave=True,
    )

    for _ in range(3):
        await payer.store.walks.advance(claimed.lease, 2, step)
    payer.held_walker.walker.take_hint(claimed.reference)
    execution = await payer.end(execution_id)

    assert payer.models.calls == []
    assert execution.result == {"text": "theirs"}
    assert execution.credits_cost == PRICE
    assert await payer.paid(PRICE)


async def test_two_workers_of_one_run_charge_each_node_once(payer: PayingAccount) -> None:
    graph = Graph()
    for number in range(6):
        model_node(graph, f"m{number}")
    names = [f"m{number}" for number in range(6)]
    payer.models.held = set(names)
    other = HeldWalker(payer.store, models=payer.models, worker_id=OTHER)

    execution_id = await payer.begin(answer(graph, *names))
    await payer.models.called(6)
    other.walker.take_hint(payer.reference(execution_id))
    payer.models.open()
    execution = await payer.end(execution_id)
    await other.walker.drain(1)

    assert costs(execution) == [PRICE] * 6
    assert await payer.paid(6 * PRICE)
