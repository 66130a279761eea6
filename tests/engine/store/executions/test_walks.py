"""Claim, advance and give back through the store, on real Redis."""

import asyncio
import random

import pytest

from engine.errors import ExecutionNotFound
from engine.executions.statuses import ExecutionStatus, NodeStatus, parse_node_statuses
from engine.store import Account, Store
from engine.store.executions.advance import Step, Verdict
from engine.store.executions.claim import parse_claims
from engine.store.executions.offload import make_name
from engine.store.executions.record_fields import NodeClaim, pack_name
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from tests.engine.store.conftest import Saved
from tests.support.store.claims import advance, claim, due_at, row
from tests.support.store.records import BOTH_DONE, FIRST_DONE, SECOND_DONE, accept
from tests.support.store.redis_contents import contents


async def test_a_claim_brings_everything_on_record(
    store: Store, reference: str, saved: Saved
) -> None:
    claimed = await claim(store, reference)

    assert claimed.reference == reference
    assert (claimed.fence, claimed.statuses) == (1, parse_node_statuses("pp"))
    assert (claimed.slug, claimed.version) == (saved[0].slug, 1)
    assert claimed.inputs == {}
    assert claimed.status is ExecutionStatus.PROCESSING
    assert await due_at(store, reference) is None
    assert await store.leases.held("w1") == [reference]


async def test_a_step_ends_the_execution_with_its_result(
    store: Store, account: Account, reference: str
) -> None:
    claimed = await claim(store, reference)
    step = Step(
        settled=BOTH_DONE,
        rows=[row(0, pack({"text-out": "hello"})), row(1)],
        end=ExecutionStatus.COMPLETED,
        result=pack({"text": "hello"}),
    )

    verdict = await advance(store, claimed, 1, step)

    execution = await store.executions.get(account.id, claimed.execution_id)
    assert verdict is Verdict.OK
    assert execution.status is ExecutionStatus.COMPLETED
    assert execution.result == {"text": "hello"}
    assert [node.status for node in execution.nodes] == [NodeStatus.COMPLETED] * 2
    assert [node.attempts for node in execution.nodes] == [1, 1]
    assert execution.duration_ms is not None
    assert await store.leases.held("w1") == []
    assert await due_at(store, reference) is None


async def test_a_large_result_is_offloaded_and_read_back(
    store: Store, account: Account, reference: str
) -> None:
    claimed = await claim(store, reference)
    result = {"text": "x" * 300_000}
    name = make_name(claimed.lease.object_prefix, 1, len(pack(result)))
    step = Step(
        settled=BOTH_DONE,
        rows=[row(0, make_name(claimed.lease.object_prefix, 0, 300_000)), row(1)],
        names_objects=True,
        end=ExecutionStatus.COMPLETED,
        result=pack_name(name),
    )

    await store.offloaded.put(account.id, claimed.execution_id, name, pack(result))
    await advance(store, claimed, 1, step)

    head = await store.executions.head(account.id, claimed.execution_id)
    record = await store.walks.records(account.id, claimed.execution_id)
    assert head.result == result
    assert (await store.executions.get(account.id, claimed.execution_id)).result == result
    assert sum(map(len, record.values())) < 2_000


async def test_an_execution_that_is_gone_has_no_records(store: Store, account: Account) -> None:
    assert await store.walks.records(account.id, "nothing") == {}


async def test_a_step_sent_twice_counts_once(store: Store, reference: str) -> None:
    claimed = await claim(store, reference)
    await advance(store, claimed, 1, Step(claimed=[0]))
    before = await contents(store.client)

    again = await advance(store, claimed, 1, Step(claimed=[0]))

    assert again is Verdict.OK
    assert await contents(store.client) == before


async def test_a_step_that_arrives_after_a_later_one_changes_nothing(
    store: Store, reference: str
) -> None:
    claimed = await claim(store, reference)
    await advance(store, claimed, 1, Step(claimed=[0]))
    await advance(store, claimed, 2, Step(retrying=[(0, 500)]))
    before = await contents(store.client)

    late = await advance(store, claimed, 1, Step(claimed=[0]))

    assert late is Verdict.OK
    assert await contents(store.client) == before


@pytest.mark.F31
@pytest.mark.parametrize(
    "step",
    [
        Step(settled=[(1, NodeStatus.COMPLETED), (0, NodeStatus.COMPLETED)]),
        Step(settled=[(1, NodeStatus.COMPLETED)], retrying=[(0, 500)]),
        Step(settled=[(1, NodeStatus.COMPLETED)], claimed=[0]),
        Step(claimed=[1, 0]),
    ],
    ids=["settled", "retrying", "claimed", "claimed with another"],
)
async def test_a_node_of_another_walker_conflicts_and_nothing_is_recorded(
    store: Store, reference: str, step: Step
) -> None:
    first = await claim(store, reference, "w1")
    await advance(store, first, 1, Step(claimed=[0], shares_work=True))
    helper = await claim(store, reference, "w2")
    before = await contents(store.client)

    verdict = await advance(store, helper, 1, step, "w2")

    after = await contents(store.client)
    key = keyspace.execution(helper.account_id, helper.execution_id).encode()
    known = after[key][1]
    assert verdict is Verdict.CONFLICT
    assert known.pop(b"step2") == b"1:rp"
    assert after == before


async def test_work_is_shared_until_a_step_shares_none(store: Store, reference: str) -> None:
    first = await claim(store, reference, "w1")
    await advance(store, first, 1, Step(claimed=[0], shares_work=True))
    helper = await claim(store, reference, "w2")
    await advance(store, helper, 1, Step(shares_work=False), "w2")

    assert helper.fence == 2
    assert await store.walks.claim(reference, "w3") is None


@pytest.mark.F35a
async def test_leaving_makes_the_next_retry_due(store: Store, reference: str) -> None:
    claimed = await claim(store, reference)
    await advance(store, claimed, 1, Step(claimed=[0]))

    await advance(store, claimed, 2, Step(retrying=[(0, 60_000)], leave=True))

    now = await store.leases.now()
    due = await due_at(store, reference)
    assert due is not None
    assert now + 55_000 < due <= now + 60_000
    assert await store.leases.held("w1") == []
    record = await store.walks.records(claimed.account_id, claimed.execution_id)
    assert parse_claims(record) == {0: NodeClaim(0, 1, due, 0)}


async def test_leaving_with_nothing_to_wait_for_is_due_at_once(
    store: Store, reference: str
) -> None:
    claimed = await claim(store, reference)

    await advance(store, claimed, 1, Step(settled=FIRST_DONE, leave=True))

    due = await due_at(store, reference)
    assert due is not None
    assert due <= await store.leases.now()


async def test_an_execution_to_be_cancelled_does_not_wait_for_a_retry(
    store: Store, account: Account, reference: str
) -> None:
    claimed = await claim(store, reference)
    await advance(store, claimed, 1, Step(claimed=[0]))
    await advance(store, claimed, 2, Step(retrying=[(0, 60_000)]))
    await store.executions.cancel(account.id, claimed.execution_id)

    await advance(store, claimed, 3, Step(leave=True))

    due = await due_at(store, reference)
    assert due is not None
    assert due <= await store.leases.now()


async def test_only_nodes_that_ran_have_times_after_a_cancel(
    store: Store, account: Account, reference: str
) -> None:
    claimed = await claim(store, reference)
    await advance(store, claimed, 1, Step(claimed=[0, 1]))
    await advance(store, claimed, 2, Step(retrying=[(0, 60_000)]))
    await store.executions.cancel(account.id, claimed.execution_id)

    await advance(store, claimed, 3, Step(end=ExecutionStatus.CANCELLED))

    execution = await store.executions.get(account.id, claimed.execution_id)
    waited, ran = execution.nodes
    assert (waited.attempts, waited.started_at, waited.duration_ms) == (1, None, None)
    assert ran.started_at is not None and execution.completed_at is not None
    assert ran.duration_ms == execution.completed_at - ran.started_at


async def test_after_a_cancel_nothing_begins_and_only_cancelled_ends_it(
    store: Store, account: Account, reference: str
) -> None:
    claimed = await claim(store, reference)
    await advance(store, claimed, 1, Step(claimed=[0]))
    status = await store.executions.cancel(account.id, claimed.execution_id)

    begun = await advance(store, claimed, 2, Step(claimed=[1]))
    completed = await advance(store, claimed, 2, Step(end=ExecutionStatus.COMPLETED))
    settled = await advance(store, claimed, 2, Step(settled=FIRST_DONE, rows=[row(0)]))
    cancelled = await advance(store, claimed, 3, Step(end=ExecutionStatus.CANCELLED))

    execution = await store.executions.get(account.id, claimed.execution_id)
    assert status is ExecutionStatus.CANCEL_REQUESTED
    assert (begun, completed) == (Verdict.CANCEL, Verdict.CANCEL)
    assert (settled, cancelled) == (Verdict.OK, Verdict.OK)
    assert execution.status is ExecutionStatus.CANCELLED
    assert [node.status.value for node in execution.nodes] == ["completed", "cancelled"]


async def test_a_hint_of_an_execution_being_cancelled_repeats_the_cancel(
    store: Store, account: Account, reference: str
) -> None:
    claimed = await claim(store, reference)
    await store.executions.cancel(account.id, claimed.execution_id)
    before = await store.client.send("INFO", "commandstats")

    assert await store.walks.claim(reference, "w2") is None

    after = await store.client.send("INFO", "commandstats")
    assert _calls(after, b"publish") == _calls(before, b"publish") + 1


def _calls(info: bytes, command: bytes) -> int:
    line = next((x for x in info.split() if x.startswith(b"cmdstat_" + command + b":")), None)
    return 0 if line is None else int(line.split(b"calls=")[1].split(b",")[0])


@pytest.mark.F25
@pytest.mark.F33
async def test_a_lost_worker_counts_against_the_node_and_an_orderly_one_does_not(
    store: Store, reference: str
) -> None:
    for worker, is_lost in (("w1", True), ("w2", False)):
        claimed = await claim(store, reference, worker)
        await advance(store, claimed, 1, Step(claimed=[0]), worker)
        assert await store.walks.give_back(reference, worker, is_lost=is_lost)
        assert not await store.walks.give_back(reference, worker, is_lost=is_lost)

    again = await claim(store, reference, "w3")
    claims = parse_claims(again.record)
    assert again.statuses == parse_node_statuses("pp")
    assert (claims[0].attempts, claims[0].lost) == (1, 1)


async def test_one_workers_release_leaves_the_others_claim(store: Store, reference: str) -> None:
    first = await claim(store, reference, "w1")
    await advance(store, first, 1, Step(claimed=[0], shares_work=True))
    helper = await claim(store, reference, "w2")
    await advance(store, helper, 1, Step(claimed=[1]), "w2")

    await store.walks.give_back(reference, "w1", is_lost=True)

    third = await claim(store, reference, "w3")
    assert third.statuses == parse_node_statuses("pr")
    assert parse_claims(third.record)[1].fence == helper.fence
    assert await store.leases.held("w2") == [reference]
    settled = Step(settled=SECOND_DONE, rows=[row(1)])
    assert await advance(store, helper, 2, settled, "w2") is Verdict.OK


async def test_an_execution_that_is_lost_again_and_again_waits_longer_each_time(
    store: Store, reference: str
) -> None:
    pauses = []
    for _ in range(10):
        await claim(store, reference)
        await store.walks.give_back(reference, "w1", is_lost=True, pause_ms=500)
        at = await due_at(store, reference)
        assert at is not None
        pauses.append((at - await store.leases.now()) / 1_000)

    expected = [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert all(due - 0.4 <= pause <= due for pause, due in zip(pauses, expected, strict=True))


async def test_an_execution_whose_worker_died_is_due_at_once(store: Store, reference: str) -> None:
    for _ in range(3):
        await claim(store, reference)
        await store.walks.give_back(reference, "w1", is_lost=True)

        due = await due_at(store, reference)
        assert due is not None
        assert due <= await store.leases.now()


async def test_a_claim_that_is_another_by_now_is_not_taken_away(
    store: Store, reference: str
) -> None:
    await claim(store, reference, token="first")
    seen = (await store.leases.claims("w1"))[reference]
    await store.walks.give_back(reference, "w1", is_lost=False)
    await claim(store, reference, token="second")

    assert not await store.walks.give_back(reference, "w1", is_lost=True, claim=seen)
    assert await store.leases.claims("w1") == {reference: b"2:second"}
    assert await store.walks.give_back(reference, "w1", is_lost=True, claim=b"2:second")
    assert await store.leases.claims("w1") == {}


async def test_leaving_waits_for_the_earliest_retry(store: Store, reference: str) -> None:
    claimed = await claim(store, reference)
    await advance(store, claimed, 1, Step(claimed=[0, 1]))

    await advance(store, claimed, 2, Step(retrying=[(0, 60_000), (1, 20_000)], leave=True))

    due = await due_at(store, reference)
    assert due is not None
    assert due <= await store.leases.now() + 20_000


async def test_a_record_that_is_pruned_is_gone_for_everybody(
    store: Store, account: Account, reference: str
) -> None:
    claimed = await claim(store, reference)
    await advance(store, claimed, 1, Step(end=ExecutionStatus.FAILED, error={"code": "X"}))

    pruned = await store.leases.prune(await store.leases.now() + 1)

    assert pruned.executions == 1
    with pytest.raises(ExecutionNotFound):
        await store.executions.get(account.id, claimed.execution_id)
    assert await store.walks.claim(reference, "w1") is None
    assert await advance(store, claimed, 2, Step()) is Verdict.FENCED
    assert await store.executions.list(account.id) == ([], None)


async def test_random_walks_by_four_workers_end_once_each(
    store: Store, account: Account, saved: Saved
) -> None:
    chance = random.Random(7)
    references = [
        keyspace.reference(account.id, (await accept(store, account, *saved)).id) for _ in range(20)
    ]
    ended: list[str] = []

    async def work(worker: str) -> None:
        for reference in chance.sample(references * 3, len(references) * 3):
            claimed = await store.walks.claim(reference, worker)
            if claimed is None:
                continue
            if chance.random() < 0.3:
                await store.walks.give_back(reference, worker, is_lost=False)
                continue
            step = Step(
                settled=BOTH_DONE,
                end=ExecutionStatus.COMPLETED,
            )
            if await advance(store, claimed, 1, step, worker) is Verdict.OK:
                ended.append(reference)

    await asyncio.gather(*(work(f"w{number}") for number in range(4)))

    assert sorted(ended) == sorted(references)
