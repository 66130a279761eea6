"""Answers of people to approvals, checked by their forms."""

from typing import Any

import pytest

from engine.errors import ApprovalAnswered, ApprovalNotFound, ExecutionNotFound, InvalidInputs
from engine.executions.node_waits import Answerer, AnswererKind, Decision
from engine.services.approvals import Approvals, GivenAnswer
from engine.store import Account, Store
from engine.values.plain import moment
from tests.support.store.child_runs import NODE_ID
from tests.support.waits.runs import DELAY, WaitRuns

KEY = Answerer(AnswererKind.KEY, "key_1")
REFUSED = GivenAnswer(Decision.REFUSE, {}, "No")


def approved(**fields: Any) -> GivenAnswer:
    return GivenAnswer(Decision.APPROVE, fields)


@pytest.fixture
async def runs(store: Store, account: Account) -> WaitRuns:
    """Return a root whose first node runs."""
    return await WaitRuns.rooted(store, account)


@pytest.fixture
def approvals(store: Store) -> Approvals:
    return Approvals(store)


async def test_the_first_answer_counts_and_others_are_told_of_it(
    runs: WaitRuns, approvals: Approvals, account: Account
) -> None:
    await runs.ask()
    lease = runs.parent.lease
    wait = await approvals.find(account.id, lease.execution_id, NODE_ID)

    first = await approvals.answer(wait, approved(where="blog"), KEY)

    assert (first.decision, first.fields, first.by) == ("approve", {"where": "blog"}, KEY)
    assert first.at >= wait.since
    known = {"decision": "approve", "at": moment(first.at)}
    for stale in (wait, await approvals.find(account.id, lease.execution_id, NODE_ID)):
        with pytest.raises(ApprovalAnswered) as refused:
            await approvals.answer(stale, REFUSED, KEY)
        assert refused.value.context == known


async def test_what_is_no_open_approval_is_not_found(
    runs: WaitRuns, approvals: Approvals, account: Account, store: Store
) -> None:
    execution_id = runs.parent.lease.execution_id
    with pytest.raises(ApprovalNotFound):
        await approvals.find(account.id, execution_id, NODE_ID)
    await runs.ask()
    wait = await approvals.find(account.id, execution_id, NODE_ID)
    for other in ("", "another", NODE_ID + "/1"):
        with pytest.raises(ApprovalNotFound):
            await approvals.find(account.id, execution_id, other)
    with pytest.raises(ExecutionNotFound):
        await approvals.find(account.id, "00000000-0000-4000-8000-000000000000", NODE_ID)
    await store.executions.cancel(account.id, execution_id)

    for stale in (wait, await approvals.find(account.id, execution_id, NODE_ID)):
        with pytest.raises(ApprovalNotFound):
            await approvals.answer(stale, approved(where="blog"), KEY)


async def test_a_delay_is_no_approval(
    runs: WaitRuns, approvals: Approvals, account: Account
) -> None:
    await runs.ask(DELAY)

    with pytest.raises(ApprovalNotFound):
        await approvals.find(account.id, runs.parent.lease.execution_id, NODE_ID)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (approved(), "where"),
        (approved(where=1), "where"),
        (approved(where="x" * 70_000), "where"),
        (approved(where="blog", more=1), "more"),
        (GivenAnswer(Decision.REFUSE, {"where": 1}), "where"),
        (GivenAnswer(Decision.REFUSE, {"more": 1}), "more"),
    ],
)
async def test_wrong_fields_are_refused_and_the_approval_stays_open(
    runs: WaitRuns, approvals: Approvals, account: Account, given: GivenAnswer, field: str
) -> None:
    await runs.ask()
    execution_id = runs.parent.lease.execution_id
    wait = await approvals.find(account.id, execution_id, NODE_ID)

    with pytest.raises(InvalidInputs) as refused:
        await approvals.answer(wait, given, KEY)

    assert refused.value.context["field"] == field
    assert (await approvals.find(account.id, execution_id, NODE_ID)).is_open
