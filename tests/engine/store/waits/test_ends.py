"""The end of an execution ends its waits, in the step that records it."""

import pytest

from engine.executions.node_waits import Decision, NewWait, WaitKind
from engine.executions.statuses import ExecutionStatus
from engine.ids.idempotency import make_idempotency_key
from engine.store import Account, NewBatch, NewItem, Store
from engine.store.executions.advance import Step, Verdict
from engine.store.executions.new_execution import BatchItem
from engine.store.executions.unfinished import unfinished_ids
from engine.store.partitioned.taken_items import FeedState, TakenItems
from engine.store.redis import keyspace
from engine.store.waits import keys as wait_keys
from engine.store.waits.node_waits import AlreadyAnswered, Answered, NotWaiting
from tests.support.store.child_runs import FAR
from tests.support.store.claims import advance, claim
from tests.support.waits.invariants import check_waits
from tests.support.waits.runs import DELAY, WaitRuns, answer

HOURS = 3_600_000


async def lists(store: Store, account_id: str, root_id: str) -> list[int]:
    """Return the sizes of the lists of open waits."""
    return [
        await store.client.send("HLEN", wait_keys.waits(account_id)),
        await store.client.send("ZCARD", wait_keys.approvals(account_id)),
        await store.client.send("ZCARD", wait_keys.child_waits(account_id, root_id)),
        await store.client.send("SCARD", wait_keys.waited(account_id)),
    ]


async def test_an_end_elsewhere_in_the_run_ends_its_waits(runs: WaitRuns, store: Store) -> None:
    await runs.wait()
    assert await lists(store, runs.account.id, runs.root_id) == [1, 1, 0, 1]
    step = Step(end=ExecutionStatus.FAILED, error={"code": "X"}, slug=runs.workflow.slug)

    assert await advance(store, runs.parent, 2, step) is Verdict.OK

    assert await lists(store, runs.account.id, runs.root_id) == [0, 0, 0, 0]
    assert await store.node_waits.answer(runs.asked, answer()) == NotWaiting()
    found = await store.node_waits.find(runs.asked)
    assert found is not None
    assert (found.is_open, found.answer, found.title) == (False, None, "Post it?")


async def test_a_cancel_ends_what_only_waits_at_once(runs: WaitRuns, store: Store) -> None:
    await runs.ask()
    active = keyspace.active(runs.account.id)
    assert await store.client.send("SCARD", active) == 0

    ended = await store.executions.cancel(runs.account.id, runs.root_id)

    assert ended is ExecutionStatus.CANCELLED
    assert await lists(store, runs.account.id, runs.root_id) == [0, 0, 0, 0]
    assert await store.client.send("SCARD", active) == 0
    assert await store.node_waits.answer(runs.asked, answer()) == NotWaiting()
    assert await store.node_waits.list_approvals(runs.account.id, limit=9) == ([], None)


async def test_a_wait_opened_while_a_cancel_reads_the_record_is_ended(
    runs: WaitRuns, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = store.executions._cancel

    async def open_first(*args, **options):  # type: ignore[no-untyped-def]
        await runs.ask()
        monkeypatch.setattr(store.executions, "_cancel", read)
        return await read(*args, **options)

    monkeypatch.setattr(store.executions, "_cancel", open_first)

    ended = await store.executions.cancel(runs.account.id, runs.root_id)

    assert ended is ExecutionStatus.CANCELLED
    assert await lists(store, runs.account.id, runs.root_id) == [0, 0, 0, 0]


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_the_end_of_a_root_ends_the_waits_of_its_children_at_once(
    is_cancelled: bool, runs: WaitRuns, store: Store
) -> None:
    await runs.open(2)
    await runs.begin(0, 1)
    asked = [await runs.ask_in_child(index) for index in (0, 1)]
    if is_cancelled:
        await runs.park()
        await store.executions.cancel(runs.account.id, runs.root_id)
    else:
        step = Step(end=ExecutionStatus.FAILED, may_have_groups=True, slug=runs.workflow.slug)
        assert await advance(store, runs.parent, 2, step) is Verdict.OK

    assert await store.node_waits.answer(asked[0], answer()) == NotWaiting()
    assert await store.node_waits.list_approvals(runs.account.id, limit=9) == ([], None)
    assert await store.node_waits.of_children(runs.account.id, runs.root_id) == []

    for index in (0, 1):
        await store.executions.cancel(runs.account.id, runs.child_id(index))
    assert await lists(store, runs.account.id, runs.root_id) == [0, 0, 0, 0]


async def test_an_answer_that_came_before_the_end_stays_known(runs: WaitRuns, store: Store) -> None:
    await runs.ask()
    first = await store.node_waits.answer(runs.asked, answer(Decision.REFUSE))
    assert isinstance(first, Answered)

    await store.executions.cancel(runs.account.id, runs.root_id)

    later = await store.node_waits.answer(runs.asked, answer())
    assert later == AlreadyAnswered(first.answer)


async def test_the_end_removes_values_of_waits_where_it_removes_those_of_nodes(
    runs: WaitRuns, store: Store
) -> None:
    key = keyspace.execution(runs.account.id, runs.root_id)
    await store.client.send("HSET", key, "values", "none")
    await runs.wait()
    await store.node_waits.answer(runs.asked, answer(note="private"))

    await runs.end_parent()

    found = await store.node_waits.find(runs.asked)
    assert found is not None
    assert (found.title, found.message, found.fields, found.has_values) == ("", "", (), False)
    assert found.answer is not None
    assert (found.answer.note, found.answer.decision) == (None, Decision.APPROVE)
    assert b"private" not in b"".join((await runs.record(runs.root_id)).values())


class Asked(WaitRuns):
    """A root that was accepted with an idempotency key."""

    async def begin_with(self, name: str) -> str:
        """Return the key of the first call."""
        idempotency_key = make_idempotency_key("POST", "/", name, b"{}")
        await self.begin_root(idempotency_key=idempotency_key)
        return keyspace.idempotency(self.account.id, idempotency_key.digest)


@pytest.mark.parametrize("in_child", [False, True])
async def test_an_idempotency_key_outlives_the_run_by_a_day(
    in_child: bool, runs: WaitRuns, store: Store, account: Account
) -> None:
    asked = Asked(store, account, (runs.workflow, runs.plan))
    first_call = await asked.begin_with("once")
    if in_child:
        await asked.open(1)
        await asked.begin(0)
        await asked.ask_in_child(0)
        await asked.park()
    else:
        await asked.ask(NewWait(kind=WaitKind.DELAY, duration_ms=30 * 24 * HOURS))
    assert await store.client.send("PTTL", first_call) > 31 * 24 * HOURS

    await store.executions.cancel(account.id, asked.root_id)

    left = await store.client.send("PTTL", first_call)
    assert 23 * HOURS < left <= 24 * HOURS


async def test_a_run_that_only_waits_is_not_active_but_unfinished(
    runs: WaitRuns, store: Store
) -> None:
    account_id = runs.account.id
    await runs.ask(DELAY)

    assert await store.executions.count_active(account_id) == 0
    assert await unfinished_ids(store.client, account_id) == {runs.root_id}
    assert await store.executions.has_unfinished(account_id)
    assert [page async for page in store.executions.unfinished(account_id)][-1] == [runs.root_id]

    claimed = await claim(store, runs.reference(runs.root_id), "w2")
    assert await store.executions.count_active(account_id) == 1
    assert await advance(store, claimed, 1, Step(leave=True), "w2") is Verdict.OK
    assert await store.executions.count_active(account_id) == 0


async def test_a_run_with_more_to_do_than_to_wait_is_active(runs: WaitRuns, store: Store) -> None:
    opened = await runs.wait(DELAY)
    for step in (
        Step(parked=[(0, opened.until)], claimed=[1]),
        Step(retrying=[(1, 60_000)], leave=True),
    ):
        assert await advance(store, runs.parent, 2 + bool(step.leave), step) is Verdict.OK
        assert await store.executions.count_active(runs.account.id) == 1


async def test_a_root_waits_only_when_no_child_of_it_runs(runs: WaitRuns, store: Store) -> None:
    account_id = runs.account.id
    await runs.open(3, concurrency=3)
    await runs.begin(0, 1)
    await runs.park(FAR)

    async def is_active() -> bool:
        return await store.executions.count_active(account_id) == 1

    asked = await runs.ask_in_child(0)
    assert await is_active()  # a sibling runs
    await runs.ask_in_child(1)
    assert not await is_active()
    await runs.begin(2)
    assert await is_active()
    await runs.end_child(2)
    assert not await is_active()
    assert isinstance(await store.node_waits.answer(asked, answer()), Answered)
    await runs.end_child(0)
    assert not await is_active()
    assert await unfinished_ids(store.client, account_id) == {runs.root_id}


async def test_a_child_that_goes_on_makes_its_root_active_again(
    runs: WaitRuns, store: Store
) -> None:
    await runs.open(1)
    await runs.begin(0)
    await runs.park()
    await runs.ask_in_child(0, DELAY)
    assert await store.executions.count_active(runs.account.id) == 0

    child = await runs.claim_child(0, "w3")
    assert await advance(store, child, 1, Step(claimed=[1]), "w3") is Verdict.OK

    assert await store.executions.count_active(runs.account.id) == 1


async def test_items_of_a_batch_that_only_wait_leave_room_for_others(
    runs: WaitRuns, store: Store
) -> None:
    account = runs.account
    terms = store.tiers.terms(account.tier, account.role)
    new = NewBatch(
        account_id=account.id,
        slug=runs.workflow.slug,
        version=1,
        items=[NewItem({}), NewItem({})],
        concurrency=1,
    )
    await store.batches.add(new)
    await runs.begin_root(item=BatchItem(new.batch_id, 0), terms=terms, source="batch")

    async def take() -> TakenItems:
        return await store.feeding.take(account.id, new.batch_id, "a", terms)

    assert await take() == TakenItems(FeedState.FULL)
    await runs.ask()
    assert await take() == TakenItems(FeedState.ITEMS, [1])
    claimed = await claim(store, runs.reference(runs.root_id), "w2")
    assert await take() == TakenItems(FeedState.FULL)
    assert await store.client.send("HGETALL", wait_keys.waiting_items(account.id)) == {b"all": b"0"}

    await advance(store, claimed, 1, Step(leave=True), "w2")
    await runs.begin_root(item=BatchItem(new.batch_id, 1), terms=terms, source="batch")
    await runs.ask()
    await check_waits(store, account.id)
    await store.executions.cancel(account.id, runs.root_id)
    await check_waits(store, account.id)


async def test_a_retry_that_keeps_waits_is_active_until_it_waits_itself(
    runs: WaitRuns, store: Store
) -> None:
    key = keyspace.execution(runs.account.id, runs.root_id)
    await store.client.send("HSET", key, "waits", ",")  # as `kept_waits` has it

    await runs.open(2)
    await runs.park(FAR)  # no child has begun

    assert await store.executions.count_active(runs.account.id) == 1
    await store.executions.cancel(runs.account.id, runs.root_id)
    await check_waits(store, runs.account.id)
