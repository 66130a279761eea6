"""A node under way is charged by the price that was held for it, whatever becomes of its model."""

import pytest

from engine.executions import ExecutionStatus
from engine.models.manifest import Model
from engine.models.registry import use_models
from tests.factories import Graph
from tests.manifests import PER_CALL, model
from tests.workers.buyer import PRICE, Buyer, answer, costs, model_node

DEARER = model("echo", pricing=PER_CALL.replace("0.010", "0.100"))
CHEAPER = model("echo", pricing=PER_CALL.replace("0.010", "0.001"))
PER_SECOND = model("echo", pricing='[[pricing]]\nunit = "second"\nusd = "0.05"\natMost = 40\n')


@pytest.mark.parametrize("left", [[DEARER], [CHEAPER], [PER_SECOND], []])
async def test_a_node_that_runs_costs_what_was_held(buyer: Buyer, left: list[Model]) -> None:
    buyer.models.held = {"one"}
    execution_id = await buyer.begin(answer(model_node(Graph(), "one"), "one"))
    await buyer.models.called(1)

    with use_models(left):
        buyer.models.open()
        execution = await buyer.end(execution_id)

    assert execution.status is ExecutionStatus.COMPLETED
    assert (costs(execution), execution.micro_usd) == ([PRICE], 10_000)
    assert await buyer.paid(PRICE)


@pytest.mark.parametrize(("now", "factor"), [(DEARER, 10), (CHEAPER, 0.1)])
async def test_a_node_that_has_not_begun_costs_what_its_model_costs_then(
    buyer: Buyer, now: Model, factor: float
) -> None:
    execution_id = await buyer.accept(answer(model_node(Graph(), "one"), "one"))

    with use_models([now]):
        buyer.hands.walker.take(buyer.reference(execution_id))
        execution = await buyer.end(execution_id)

    assert execution.micro_usd == 10_000 * factor
    assert costs(execution) == [round(PRICE * factor + 0.4)]
    assert await buyer.paid(costs(execution)[0])
