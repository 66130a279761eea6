"""A node under way is charged by the reserved price, though its model changes."""

import pytest

from engine.executions.rows import NodeRow
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.models.manifest import Model
from engine.models.registry import use_models
from engine.store.executions.advance import Charge, Step, Verdict
from engine.store.executions.claim import ClaimedExecution
from engine.store.redis.record_packing import pack
from tests.support.factories import Graph
from tests.support.manifests import PER_CALL, model
from tests.support.workers.paying_account import PRICE, PayingAccount, answer, costs, model_node

DEARER = model("echo", pricing=PER_CALL.replace("0.010", "0.100"))
CHEAPER = model("echo", pricing=PER_CALL.replace("0.010", "0.001"))
PER_SECOND = model("echo", pricing='[[pricing]]\nunit = "second"\nusd = "0.05"\natMost = 40\n')


@pytest.mark.parametrize("left", [[DEARER], [CHEAPER], [PER_SECOND], []])
async def test_a_running_node_costs_its_reserved_price(
    payer: PayingAccount, left: list[Model]
) -> None:
    payer.models.held = {"one"}
    execution_id = await payer.begin(answer(model_node(Graph(), "one"), "one"))
    await payer.models.called(1)

    with use_models(left):
        payer.models.open()
        execution = await payer.end(execution_id)

    assert execution.status is ExecutionStatus.COMPLETED
    assert (costs(execution), execution.micro_usd) == ([PRICE], 10_000)
    assert await payer.paid(PRICE)


@pytest.mark.parametrize(("now", "factor"), [(DEARER, 10), (CHEAPER, 0.1)])
async def test_a_node_that_has_not_begun_costs_the_new_price_of_its_model(
    payer: PayingAccount, now: Model, factor: float
) -> None:
    execution_id = await payer.accept(answer(model_node(Graph(), "one"), "one"))

    with use_models([now]):
        payer.held_walker.walker.take_hint(payer.reference(execution_id))
        execution = await payer.end(execution_id)

    assert execution.micro_usd == 10_000 * factor
    assert costs(execution) == [round(PRICE * factor + 0.4)]
    assert await payer.paid(costs(execution)[0])


@pytest.mark.parametrize(("has_finished", "lost"), [(False, "one"), (True, "two")])
async def test_a_run_whose_model_is_gone_ends_with_that_error_at_another_worker(
    payer: PayingAccount, has_finished: bool, lost: str
) -> None:
    graph = answer(model_node(model_node(Graph(), "one"), "two", prompt="two"), "two")
    graph.wire("one.text-out > two.prompt-in")
    execution_id = await payer.accept(graph)
    reference = payer.reference(execution_id)
    claimed = await payer.store.walks.claim(reference, "dead")
    assert claimed is not None
    await claim_first(payer, claimed, finishes=has_finished)
    await payer.store.walks.give_back(reference, "dead", is_lost=True)

    with use_models([]):
        payer.held_walker.walker.take_hint(reference)
        execution = await payer.end(execution_id)

    gone = {"code": "model_gone", "message": "There is no model 'echo' here"}
    assert execution.status is ExecutionStatus.FAILED
    assert execution.error == {
        "code": "EXECUTION_FAILED",
        "message": f"Node '{lost}' failed: There is no model 'echo' here",
        "nodeId": lost,
        "nodeType": "customModel",
        "reason": gone["message"],
        "nodeCode": "model_gone",
        "retryable": False,
    }
    assert [(node.status.value, node.error) for node in execution.nodes[:2]] == (
        [("completed", None), ("failed", gone)]
        if has_finished
        else [("failed", gone), ("skipped", None)]
    )
    assert await payer.paid(PRICE if has_finished else 0)


async def claim_first(payer: PayingAccount, claimed: ClaimedExecution, *, finishes: bool) -> None:
    """Record the steps of a worker before it died."""
    steps = [Step(claimed=[0], reservations={0: PRICE})]
    if finishes:
        outputs = pack({"text-out": "<one>"})
        row = NodeRow(0, 1, claimed.now, 5, None, outputs, PRICE)
        charges = {0: Charge(PRICE, 10_000)}
        steps.append(Step(settled=[(0, NodeStatus.COMPLETED)], rows=[row], charges=charges))
    for number, step in enumerate(steps, 1):
        advanced = await payer.store.walks.advance(claimed.lease, number, step)
        assert advanced.verdict is Verdict.OK
