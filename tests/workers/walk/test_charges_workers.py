"""What runs cost when their workers die, come back late or share them."""

from engine.executions.execution import ExecutionStatus
from engine.store.executions.claims import ClaimedExecution
from engine.store.executions.steps import Charge, Step
from engine.store.executions.walks import Verdict
from engine.store.redis.records import pack
from tests.support.factories import Graph
from tests.support.store.records import FIRST_DONE
from tests.support.workers.held_walker import Hands
from tests.support.workers.paying_account import PRICE, Buyer, answer, costs, model_node

OTHER = "worker-2"


async def claim_first(buyer: Buyer, execution_id: str) -> ClaimedExecution:
    """Another worker has begun the first charged node and holds its price."""
    claimed = await buyer.store.walks.claim(buyer.reference(execution_id), OTHER)
    assert claimed is not None
    begun = await buyer.store.walks.advance(
        claimed.lease, 1, Step(claimed=[0], reservations={0: PRICE})
    )
    assert begun.verdict is Verdict.OK
    return claimed


async def test_a_charged_node_whose_worker_dies_is_paid_once(buyer: Buyer) -> None:
    buyer.allow(PRICE)
    execution_id = await buyer.accept(answer(model_node(Graph(), "one"), "one"))
    claimed = await claim_first(buyer, execution_id)

    await buyer.store.walks.give_back(claimed.reference, OTHER, is_lost=True)
    buyer.hands.walker.take(claimed.reference)
    execution = await buyer.end(execution_id)

    assert execution.status is ExecutionStatus.COMPLETED
    assert execution.nodes[0].attempts == 2
    assert costs(execution) == [PRICE]
    assert await buyer.paid(PRICE)


async def test_a_worker_that_comes_back_late_charges_nothing(buyer: Buyer) -> None:
    execution_id = await buyer.accept(answer(model_node(Graph(), "one"), "one"))
    claimed = await claim_first(buyer, execution_id)
    row = [0, 1, claimed.now, 1, None, pack({"text-out": "theirs"})]
    step = Step(settled=FIRST_DONE, rows=[row], charges={0: Charge(PRICE, 10_000)})

    await buyer.store.walks.give_back(claimed.reference, OTHER, is_lost=True)
    buyer.models.held = {"one"}
    buyer.hands.walker.take(claimed.reference)
    await buyer.models.called(1)
    early = await buyer.store.walks.advance(claimed.lease, 2, step)
    buyer.models.open()
    execution = await buyer.end(execution_id)
    late = await buyer.store.walks.advance(claimed.lease, 2, step)

    assert (early.verdict, late.verdict) == (Verdict.FENCED, Verdict.ENDED)
    assert execution.result == {"text": "<one>"}
    assert costs(execution) == [PRICE]
    assert await buyer.paid(PRICE)


async def test_a_step_that_arrives_twice_charges_once(buyer: Buyer) -> None:
    execution_id = await buyer.accept(answer(model_node(Graph(), "one"), "one"))
    claimed = await claim_first(buyer, execution_id)
    row = [0, 1, claimed.now, 1, None, pack({"text-out": "theirs"})]
    step = Step(
        settled=FIRST_DONE,
        rows=[row],
        charges={0: Charge(PRICE, 10_000)},
        leave=True,
    )

    for _ in range(3):
        await buyer.store.walks.advance(claimed.lease, 2, step)
    buyer.hands.walker.take(claimed.reference)
    execution = await buyer.end(execution_id)

    assert buyer.models.calls == []
    assert execution.result == {"text": "theirs"}
    assert execution.credits_cost == PRICE
    assert await buyer.paid(PRICE)


async def test_two_workers_of_one_run_charge_each_node_once(buyer: Buyer) -> None:
    graph = Graph()
    for number in range(6):
        model_node(graph, f"m{number}")
    names = [f"m{number}" for number in range(6)]
    buyer.models.held = set(names)
    other = Hands(buyer.store, models=buyer.models, worker_id=OTHER)

    execution_id = await buyer.begin(answer(graph, *names))
    await buyer.models.called(6)
    other.walker.take(buyer.reference(execution_id))
    buyer.models.open()
    execution = await buyer.end(execution_id)
    await other.walker.drain(1)

    assert costs(execution) == [PRICE] * 6
    assert await buyer.paid(6 * PRICE)
