"""Children of groups as scripts hand them out."""

import pytest

from engine.executions.children import MAX_RUNNING, GroupStatus
from engine.ids.partitions import partition_of
from engine.store import Store
from engine.store.children.feeding import MOST_CHILDREN, WAITING_LOOK_MS
from engine.store.children.keys import GroupKeys, children_due, group_key, open_children
from engine.store.partitioned.due_lists import LEASE_MS
from engine.store.partitioned.taken_items import FeedState, TakenItems
from engine.store.redis import keyspace
from engine.store.redis.info import read_now
from tests.support.store.child_runs import ChildRuns


async def look_at(runs: ChildRuns) -> float | None:
    """Return the time of the next look at the group in milliseconds; None: it is not open."""
    key = open_children(runs.account.id)
    at = await runs.store.client.send("ZSCORE", key, runs.ref.member)
    return None if at is None else float(at)


async def set_root(runs: ChildRuns, *words: object) -> None:
    key = keyspace.execution(runs.account.id, runs.root_id)
    await runs.store.client.send("HSET", key, *words)


async def test_children_are_handed_out_in_order_within_the_concurrency(
    runs: ChildRuns, store: Store
) -> None:
    await runs.open(5, concurrency=3)
    take = store.children.feeding.take

    assert await take(runs.ref, "a") == TakenItems(FeedState.ITEMS, [0, 1, 2])
    await runs.begin(0, 1)
    assert await take(runs.ref, "a") == TakenItems(FeedState.ITEMS, [2])
    await runs.begin(2)
    assert await take(runs.ref, "a") == TakenItems(FeedState.FULL)


async def test_children_of_large_groups_are_found_over_all_blocks(
    runs: ChildRuns, store: Store
) -> None:
    await runs.open(2_010, concurrency=100)
    key = GroupKeys.of(runs.ref).group
    await store.client.send("HSET", key, "s0", "c" * 1_000, "s1", "c" * 998 + "qq")

    taken = await store.children.feeding.take(runs.ref, "a")

    assert taken.indexes == [1_998, 1_999, *range(2_000, 2_010)]


async def test_a_worker_takes_a_bounded_number_at_once(runs: ChildRuns, store: Store) -> None:
    await runs.open(90, concurrency=100)

    assert len((await store.children.feeding.take(runs.ref, "a")).indexes) == MOST_CHILDREN


async def test_the_children_of_a_root_that_run_bound_those_that_begin(
    runs: ChildRuns, store: Store
) -> None:
    await runs.open(5)
    await set_root(runs, "children_running", MAX_RUNNING - 2)
    take = store.children.feeding.take

    assert (await take(runs.ref, "a")).indexes == [0, 1]
    await set_root(runs, "children_running", MAX_RUNNING)
    assert (await take(runs.ref, "a")).state is FeedState.FULL


async def test_one_worker_has_a_group_until_its_lease_ends_or_is_given_back(
    runs: ChildRuns, store: Store
) -> None:
    await runs.open(5)
    take, release = store.children.feeding.take, store.children.feeding.release
    await take(runs.ref, "a")

    assert (await take(runs.ref, "b")).state is FeedState.HELD
    until = int(await store.client.send("HGET", GroupKeys.of(runs.ref).group, "feeder_until"))
    assert 0 < until - await read_now(store.client) <= LEASE_MS
    await release(runs.ref, "b")
    assert (await take(runs.ref, "b")).state is FeedState.HELD
    await release(runs.ref, "a")
    assert (await take(runs.ref, "b")).state is FeedState.ITEMS
    await store.client.send("HSET", GroupKeys.of(runs.ref).group, "feeder_until", 1)
    assert (await take(runs.ref, "c")).state is FeedState.ITEMS


async def test_an_open_group_is_looked_at_again_until_it_is_done(
    runs: ChildRuns, store: Store
) -> None:
    await runs.open(2)
    first = await look_at(runs)
    await runs.begin(0, 1)

    taken = await store.children.feeding.take(runs.ref, "a")
    second = await look_at(runs)
    await store.client.send("HSET", GroupKeys.of(runs.ref).group, "status", "done")
    last = await store.children.feeding.take(runs.ref, "a")

    assert taken.state is FeedState.BEGUN
    assert first is not None
    assert second is not None
    assert second > first
    assert last.state is FeedState.DONE
    assert await look_at(runs) is None


@pytest.mark.parametrize("is_full", [False, True])
async def test_a_group_that_only_waits_is_looked_at_rarely_until_a_child_ends(
    is_full: bool, runs: ChildRuns, store: Store
) -> None:
    await runs.open(3, concurrency=2 if is_full else 3)
    await runs.begin(0, 1, *([] if is_full else [2]))
    await set_root(runs, "waited", "1")
    await set_root(runs, "only_waits", "1")
    now = await store.leases.now()

    await store.children.feeding.take(runs.ref, "a")
    rare = await look_at(runs)
    await runs.end_child(0)
    soon = await look_at(runs)

    assert rare is not None and rare >= now + WAITING_LOOK_MS
    assert soon is not None
    assert soon <= now + 5_000 if is_full else soon == rare


@pytest.mark.parametrize("status", ["failed", "cancel_requested"])
async def test_a_group_of_a_root_that_has_ended_is_cancelled(
    runs: ChildRuns, store: Store, status: str
) -> None:
    await runs.open(3)
    await runs.begin(0)
    await set_root(runs, "status", status)

    taken = await store.children.feeding.take(runs.ref, "a")

    assert taken.state is FeedState.CANCELLING
    group = await runs.group()
    assert (group.status, group.states) == (GroupStatus.CANCELLING, "pxx")


async def test_a_group_of_which_none_runs_is_done_when_its_root_has_ended(
    runs: ChildRuns, store: Store
) -> None:
    await runs.open(3)
    await set_root(runs, "status", "failed")

    assert (await store.children.feeding.take(runs.ref, "a")).state is FeedState.DONE
    assert (await runs.group()).states == "xxx"


async def test_a_group_that_is_gone_is_looked_at_no_more(runs: ChildRuns, store: Store) -> None:
    await runs.open(3)
    await store.client.send("DEL", GroupKeys.of(runs.ref).group)

    assert (await store.children.feeding.take(runs.ref, "a")).state is FeedState.GONE
    assert await look_at(runs) is None
    assert await store.children.find_ref(runs.account.id, runs.ref.member) is None


async def test_a_group_that_is_due_is_found_with_its_root(runs: ChildRuns, store: Store) -> None:
    await runs.open(3)
    now = await read_now(store.client) + 1
    due, account_id = store.children.feeding.due, runs.account.id

    assert (await due.due_accounts(now)).names == [account_id]
    assert await due.due_lists(account_id, now) == [runs.ref.member]
    assert await store.children.find_ref(account_id, runs.ref.member) == runs.ref
    assert group_key(account_id, runs.ref.member) == GroupKeys.of(runs.ref).group
    await due.schedule_account(account_id, now)
    key = children_due(partition_of(account_id))
    assert float(await store.client.send("ZSCORE", key, account_id)) > now


async def test_children_that_end_as_they_begin_take_no_room(runs: ChildRuns, store: Store) -> None:
    await runs.open(5, concurrency=1)
    await set_root(runs, "children_running", MAX_RUNNING)

    taken = await store.children.feeding.take(runs.ref, "a", are_walked=True)

    assert taken.indexes == [0, 1, 2, 3, 4]
