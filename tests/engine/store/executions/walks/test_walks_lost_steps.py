"""Steps and claims that Redis has lost, or with a lost reply."""

import pytest

from engine.executions.statuses import ExecutionStatus, parse_node_statuses
from engine.store import Account, Store
from engine.store.executions.advance import Step, Verdict
from tests.support.redis.rewind import rewind, take_snapshot
from tests.support.store.claims import advance, claim, row
from tests.support.store.records import FIRST_DONE, SECOND_DONE
from tests.support.store.redis_contents import contents


async def test_a_conflict_with_a_lost_reply_is_answered_as_the_first_time(
    store: Store, reference: str
) -> None:
    first = await claim(store, reference, "w1")
    await advance(store, first, 1, Step(claimed=[0], shares_work=True))
    helper = await claim(store, reference, "w2")
    mine = Step(settled=FIRST_DONE)
    await advance(store, helper, 1, mine, "w2")
    await advance(store, first, 2, Step(settled=FIRST_DONE, rows=[row(0)]))

    again = await store.walks.advance(helper.lease, 1, mine)

    assert (again.verdict, again.parse_statuses()) == (Verdict.CONFLICT, parse_node_statuses("rp"))
    assert await advance(store, helper, 2, Step(settled=SECOND_DONE), "w2") is Verdict.OK


# -- a lost tail of the append-only file ----------------------------------------------------------


@pytest.mark.F19
async def test_a_step_whose_predecessor_is_not_on_record_changes_nothing(
    store: Store, reference: str
) -> None:
    claimed = await claim(store, reference)
    before = await take_snapshot(store.client)
    assert await advance(store, claimed, 1, Step(settled=FIRST_DONE, rows=[row(0)])) is Verdict.OK
    await rewind(store.client, before)
    there = await contents(store.client)

    verdict = await advance(store, claimed, 2, Step(settled=SECOND_DONE, rows=[row(1)]))

    assert verdict is Verdict.BEHIND
    assert await contents(store.client) == there
    assert await advance(store, claimed, 1, Step(settled=FIRST_DONE, rows=[row(0)])) is Verdict.OK


async def test_a_step_after_a_lost_conflict_is_behind(store: Store, reference: str) -> None:
    first = await claim(store, reference, "w1")
    await advance(store, first, 1, Step(claimed=[0], shares_work=True))
    helper = await claim(store, reference, "w2")
    before = await take_snapshot(store.client)
    await advance(store, first, 2, Step(settled=FIRST_DONE, rows=[row(0)]))
    told = await store.walks.advance(helper.lease, 1, Step(settled=FIRST_DONE))
    assert (told.verdict, told.parse_statuses()) == (Verdict.CONFLICT, parse_node_statuses("cp"))
    await rewind(store.client, before)

    verdict = await advance(store, helper, 2, Step(settled=SECOND_DONE, rows=[row(1)]), "w2")

    assert verdict is Verdict.BEHIND


async def test_a_claim_that_was_lost_and_made_again_shuts_out_the_first(
    store: Store, reference: str
) -> None:
    before = await take_snapshot(store.client)
    lost = await claim(store, reference)
    await advance(store, lost, 1, Step(claimed=[0]))
    await rewind(store.client, before)
    again = await claim(store, reference)
    await advance(store, again, 1, Step(claimed=[0]))
    assert lost.fence == again.fence
    there = await contents(store.client)

    verdict = await advance(store, lost, 2, Step(settled=FIRST_DONE, rows=[row(0)]))
    saved_job = await store.checkpoints.save_job(lost.lease, 0, 0, b"job")
    kept = await store.checkpoints.save_item_answers(
        lost.lease, 0, 1, b"answers", is_offloaded=False
    )

    assert (verdict, saved_job, kept) == (Verdict.FENCED, False, False)
    assert await contents(store.client) == there
    assert lost.lease.object_prefix != again.lease.object_prefix


@pytest.mark.parametrize("code", ["", "r", "t"])
async def test_an_execution_is_completed_only_when_all_of_its_nodes_have_settled(
    code: str, store: Store, account: Account, reference: str
) -> None:
    claimed = await claim(store, reference)
    await advance(store, claimed, 1, Step(claimed=[0] if code else []))
    await advance(store, claimed, 2, Step(retrying=[(0, 60_000)] if code == "t" else []))
    end = Step(settled=SECOND_DONE, rows=[row(1)], end=ExecutionStatus.COMPLETED)

    verdict = await advance(store, claimed, 3, end)

    execution = await store.executions.get(account.id, claimed.execution_id)
    assert verdict is Verdict.BEHIND
    assert execution.status is ExecutionStatus.PROCESSING
