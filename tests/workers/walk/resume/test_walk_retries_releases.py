"""Failed executions of another release's plan: no gateway reads their indices as its own."""

import pytest

from engine.errors import InvalidBody, RecordTooNew
from engine.executions.statuses import ExecutionStatus
from engine.services.runs.former_runs import FormerRuns
from engine.services.runs.node_values import read_node
from engine.store.formats import Format
from engine.store.redis import keyspace
from tests.support.factories import Graph
from tests.support.workers.paying_account import PayingAccount, answer, model_node
from tests.support.workers.retried_runs import retry

OTHERS = [("plan", "another_"), ("format", str(Format.EXECUTION.known + 1))]


async def failed(payer: PayingAccount) -> tuple[str, str]:
    """Return the id of a failed execution, and the key of its record."""
    payer.models.failures = {"ask": 1}
    execution = await payer.run(answer(model_node(Graph(), "ask"), "ask"))
    assert execution.status is ExecutionStatus.FAILED
    return execution.id, keyspace.execution(payer.account.id, execution.id)


@pytest.mark.parametrize(("field", "value"), OTHERS)
async def test_it_is_retried_and_used_again_by_a_release_that_knows_it(
    field: str, value: str, payer: PayingAccount
) -> None:
    execution_id, key = await failed(payer)
    former = FormerRuns(payer.store)
    head = await payer.store.executions.head(payer.account.id, execution_id)
    ids = payer.account.id, head.workflow_slug, execution_id
    own = await payer.store.client.send("HGET", key, field)
    await payer.store.client.send("HSET", key, field, value)

    with pytest.raises(RecordTooNew, match="This execution was written by a newer version"):
        await retry(payer, execution_id)
    with pytest.raises(InvalidBody, match="an execution of another version of this service"):
        await former.read_run(*ids)
    await payer.store.client.send("HSET", key, field, own)

    assert (await former.read_run(*ids)).plan.response_output is not None
    assert (await retry(payer, execution_id)).status is ExecutionStatus.COMPLETED


async def test_values_of_its_nodes_are_shown_only_with_the_plan_that_made_them(
    payer: PayingAccount,
) -> None:
    execution = await payer.run(answer(model_node(Graph(), "ask"), "ask"))
    key = keyspace.execution(payer.account.id, execution.id)

    known = await read_node(payer.store, payer.account.id, execution.id, "ask")
    await payer.store.client.send("HSET", key, "plan", "another_")
    unknown = await read_node(payer.store, payer.account.id, execution.id, "ask")

    assert known.outputs is not None
    assert unknown.outputs is None
    assert unknown.node == known.node
