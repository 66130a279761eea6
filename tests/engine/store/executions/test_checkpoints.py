"""Checkpoints of provider jobs in the store."""

import pytest

from engine.executions.statuses import ExecutionStatus
from engine.graph.document import RecordValues
from engine.store import Account, Store
from engine.store.executions.advance import Step
from engine.store.executions.claim import Lease
from engine.store.executions.events import ProgressUpdate
from engine.store.redis import keyspace
from tests.support.store.claims import claim
from tests.support.store.records import accept, save
from tests.support.store.records import document as document_of_a_run


async def test_a_job_is_on_record_for_as_long_as_its_node_is_held(
    store: Store, account: Account
) -> None:
    accepted = await accept(store, account, *await save(store, account))
    reference = keyspace.reference(account.id, accepted.id)
    claimed = await store.walks.claim(reference, "w1", "t")
    assert claimed is not None

    async def save_job(fence: int) -> bool:
        lease = Lease(account.id, accepted.id, "w1", fence, "t")
        return await store.checkpoints.save_job(lease, 0, 2, b"job")

    before_the_claim = await save_job(1)
    await store.walks.advance(Lease(account.id, accepted.id, "w1", 1, "t"), 1, Step(claimed=[0]))
    kept, foreign = await save_job(1), await save_job(2)
    await store.walks.give_back(reference, "w1", is_lost=True)
    too_late = await save_job(1)
    again = await store.walks.claim(reference, "w2", "t")

    assert (before_the_claim, kept, foreign, too_late) == (False, True, False, False)
    assert again is not None
    assert await store.checkpoints.job(account.id, accepted.id, 0, 2) == b"job"
    assert await store.checkpoints.job(account.id, accepted.id, 0, 1) == b""


async def test_nothing_is_recorded_for_a_walk_whose_worker_has_claimed_the_execution_anew(
    store: Store, account: Account
) -> None:
    accepted = await accept(store, account, *await save(store, account))
    reference = keyspace.reference(account.id, accepted.id)

    async def record(lease: Lease) -> list[bool]:
        return [
            await store.checkpoints.save_job(lease, 0, 0, b"job"),
            await store.checkpoints.save_item_answers(lease, 0, 1, b"answers", is_offloaded=False),
        ]

    old = (await claim(store, reference, "w1")).lease
    await store.walks.advance(old, 1, Step(claimed=[0]))
    await store.walks.give_back(reference, "w1", is_lost=True)
    new = (await claim(store, reference, "w1")).lease
    unclaimed = await record(old), await record(new)
    await store.walks.advance(new, 1, Step(claimed=[0]))

    assert unclaimed == ([False, False], [False, False])
    assert await record(old) == [False, False]
    assert await store.checkpoints.jobs(account.id, accepted.id) == {}
    assert await record(new) == [True, True]


async def test_nothing_is_recorded_for_a_node_that_another_worker_runs(
    store: Store, account: Account
) -> None:
    accepted = await accept(store, account, *await save(store, account))
    reference = keyspace.reference(account.id, accepted.id)
    first = (await claim(store, reference, "w1")).lease
    await store.walks.advance(first, 1, Step(claimed=[0], shares_work=True))
    helper = (await claim(store, reference, "w2")).lease

    assert not await store.checkpoints.save_job(helper, 0, 0, b"job")
    assert not await store.checkpoints.save_item_answers(
        helper, 0, 1, b"answers", is_offloaded=False
    )
    assert await store.checkpoints.save_job(first, 0, 0, b"job")


@pytest.mark.parametrize("must_cancel", [False, True])
async def test_a_cancel_without_a_worker_leaves_the_jobs_to_a_worker(
    store: Store, account: Account, must_cancel: bool
) -> None:
    accepted = await accept(store, account, *await save(store, account))
    reference = keyspace.reference(account.id, accepted.id)
    await store.walks.claim(reference, "w1", "t")
    await store.walks.advance(Lease(account.id, accepted.id, "w1", 1, "t"), 1, Step(claimed=[0]))
    await store.checkpoints.save_job(
        Lease(account.id, accepted.id, "w1", 1, "t"), 0, 2, b"job", must_cancel=must_cancel
    )
    await store.walks.give_back(reference, "w1", is_lost=False)

    status = await store.executions.cancel(account.id, accepted.id)
    claimed = await store.walks.claim(reference, "w2", "t")

    assert await store.checkpoints.jobs(account.id, accepted.id) == {(0, 2): b"job"}
    if not must_cancel:
        assert (status, claimed) == (ExecutionStatus.CANCELLED, None)
        return
    assert claimed is not None
    assert (status, claimed.status) == (ExecutionStatus.CANCEL_REQUESTED,) * 2


async def test_a_job_that_is_forgotten_is_not_on_record(store: Store, account: Account) -> None:
    accepted = await accept(store, account, *await save(store, account))
    lease = (await claim(store, keyspace.reference(account.id, accepted.id))).lease
    await store.walks.advance(lease, 1, Step(claimed=[0]))
    await store.checkpoints.save_job(lease, 0, 2, b"job")

    await store.checkpoints.save_job(lease, 0, 2, b"")

    assert await store.checkpoints.jobs(account.id, accepted.id) == {}


async def test_a_batch_of_answers_that_comes_again_late_hides_none_behind_it(
    store: Store, account: Account
) -> None:
    accepted = await accept(store, account, *await save(store, account))
    lease = (await claim(store, keyspace.reference(account.id, accepted.id))).lease
    await store.walks.advance(lease, 1, Step(claimed=[0]))

    for number, answers in ((1, b"one"), (2, b"two"), (1, b"one")):
        await store.checkpoints.save_item_answers(lease, 0, number, answers, is_offloaded=False)

    assert await store.checkpoints.read_answers(account.id, accepted.id, 0) == [b"one", b"two"]


@pytest.mark.parametrize("is_offloaded", [False, True])
async def test_objects_of_kept_answers_are_removed_with_their_execution(
    store: Store, account: Account, is_offloaded: bool
) -> None:
    accepted = await accept(store, account, *await save(store, account))
    reference = keyspace.reference(account.id, accepted.id)
    lease = (await claim(store, reference)).lease
    await store.walks.advance(lease, 1, Step(claimed=[0]))
    await store.checkpoints.save_item_answers(lease, 0, 1, b"answers", is_offloaded=is_offloaded)
    await store.walks.advance(lease, 2, Step(end=ExecutionStatus.FAILED))

    pruned = await store.leases.prune(await store.leases.now() + 1)

    assert pruned.executions == 1
    assert list(pruned.with_objects) == ([reference] if is_offloaded else [])


async def test_another_worker_adds_no_values_to_an_end_that_has_removed_them(
    store: Store, account: Account
) -> None:
    document = document_of_a_run(record_values=RecordValues.NONE)
    workflow = await store.workflows.create(account.id, document, [])
    _, plan = await store.workflows.plan(workflow.slug)
    assert plan is not None
    accepted = await accept(store, account, workflow, plan)
    reference = keyspace.reference(account.id, accepted.id)
    ending = (await claim(store, reference, "w1")).lease
    await store.walks.advance(ending, 1, Step(shares_work=True))
    helper = (await claim(store, reference, "w2")).lease
    await store.walks.advance(helper, 1, Step(claimed=[0]))
    await store.events.read(account.id, accepted.id, 1)
    await store.walks.advance(ending, 2, Step(end=ExecutionStatus.FAILED))

    update = ProgressUpdate(index=0, item=0, offset=0, content="text")
    is_published = await store.events.publish(helper, 1, [update])
    is_kept = await store.checkpoints.save_item_answers(
        helper, 0, 1, b"answers", is_offloaded=False
    )

    assert (is_published, is_kept) == (False, False)
    assert not await store.client.send("EXISTS", keyspace.progress(account.id, accepted.id))
    assert await store.checkpoints.read_answers(account.id, accepted.id, 0) == []
