"""Groups that grow: each round is added once, and its end wakes the parent each time."""

from typing import Any

import pytest

from engine.executions.children import MAX_CHILDREN, GroupStatus
from engine.executions.statuses import ExecutionStatus
from engine.store import Store
from engine.store.children.keys import children
from engine.store.children.records import (
    CalleeGone,
    GroupOpened,
    GroupTarget,
    OpenVerdict,
    ParentEnded,
    TooManyChildren,
)
from engine.store.children.rounds import ChildCost, GroupOpening, NewRound, RoundItem
from engine.store.executions.advance import Verdict
from engine.store.partitioned.taken_items import FeedState
from engine.store.redis import keyspace
from tests.support.store.child_runs import FAR, NODE, NODE_ID, ChildRuns


class Rounds:
    """Rounds of the first node of a root."""

    def __init__(self, runs: ChildRuns) -> None:
        self.runs = runs
        workflow = runs.workflow
        self.target = GroupTarget(slug=workflow.slug, version=workflow.version)

    async def append(self, expected: int, count: int, **members: Any) -> OpenVerdict:
        opening = GroupOpening(
            node_id=NODE_ID,
            target=self.target,
            depth=2,
            shared={"task": "a task"},
            calls=members.pop("calls", ()),
        )
        items = [
            RoundItem(target=self.target, inputs={"n": expected + each, **members})
            for each in range(count)
        ]
        new = NewRound(
            ref=self.runs.ref,
            expected=expected,
            items=items,
            opening=opening if expected == 0 else None,
            object_prefix=self.runs.parent.lease.object_prefix,
        )
        return await self.runs.store.children.rounds.append(new)

    async def end(self, *indexes: int) -> None:
        """Begin and complete children."""
        await self.runs.begin(*indexes)
        for index in indexes:
            assert await self.runs.end_child(index) is Verdict.OK


@pytest.fixture
def rounds(runs: ChildRuns) -> Rounds:
    return Rounds(runs)


async def test_a_round_is_added_once(rounds: Rounds, runs: ChildRuns) -> None:
    first = await rounds.append(0, 2)
    again = await rounds.append(0, 2)  # by another worker, which the first one's death has called

    assert isinstance(first, GroupOpened)
    assert again == first
    group = await runs.group()
    assert (group.states, group.status, group.size, group.grows) == (
        "qq",
        GroupStatus.OPEN,
        2,
        True,
    )
    root = await runs.record(runs.root_id)
    assert (root["groups"], root["children"]) == (b"0=2", b"2")
    assert await runs.store.children.items.shared(runs.ref) == {"task": "a task"}


async def test_a_group_that_is_done_grows_and_wakes_the_parent_again(
    rounds: Rounds, runs: ChildRuns
) -> None:
    await rounds.append(0, 1)
    await runs.park()
    await rounds.end(0)
    assert (await runs.group()).status is GroupStatus.DONE
    await runs.become_waiting_parent()
    assert await rounds.append(1, 2) == GroupOpened(3, (await runs.group()).created_at)

    group = await runs.group()
    assert (group.states, group.status) == ("cqq", GroupStatus.OPEN)
    assert (await runs.record(runs.root_id))["groups"] == b"0=3"
    advanced = await runs.park(number=2)
    assert not advanced.is_woken  # the first round's end is forgotten
    assert (await runs.parent_claim()).at == FAR
    await rounds.end(1, 2)
    assert (await runs.parent_claim()).at < FAR
    assert (await runs.group()).states == "ccc"


async def test_children_have_targets_and_inputs_of_their_own(
    rounds: Rounds, runs: ChildRuns, store: Store
) -> None:
    await rounds.append(0, 1, text="x" * 300_000)
    await rounds.append(1, 1)

    found = await store.children.rounds.read(runs.ref, [0, 1])
    assert found[0].inputs == {"n": 0, "text": "x" * 300_000}
    assert found[1] == RoundItem(target=rounds.target, inputs={"n": 1})
    assert (await runs.record(runs.root_id))["has_objects"] == b"1"
    key = children(runs.account.id, runs.parent_id, NODE)
    assert len(await store.client.send("HGET", key, "i0")) < 100


async def test_release_0_2_0_leaves_the_children_to_others(
    rounds: Rounds, runs: ChildRuns, store: Store
) -> None:
    await rounds.append(0, 2)

    key = children(runs.account.id, runs.parent_id, NODE)
    feeder, until, form = await store.client.send("HMGET", key, "feeder", "feeder_until", "format")
    assert (feeder, int(until), form) == (b"rounds", 2**53, b"3")
    feeding = store.children.feeding
    taken = await feeding.take(runs.ref, "mine")
    assert (taken.state, taken.indexes) == (FeedState.ITEMS, [0, 1])
    assert (await feeding.take(runs.ref, "other")).state is FeedState.HELD
    await feeding.release(runs.ref, "mine")
    assert (await feeding.take(runs.ref, "other")).state is FeedState.ITEMS
    await runs.begin(0, 1)
    taken = await feeding.take(runs.ref, "other")
    assert (taken.state, taken.grows) == (FeedState.BEGUN, True)


async def test_the_cost_and_the_time_of_each_child_are_noted(
    rounds: Rounds, runs: ChildRuns, store: Store
) -> None:
    await rounds.append(0, 2)
    await rounds.end(0)

    first, second = await store.children.rounds.costs(runs.ref, 2)
    assert first.credits == 0 and first.duration_ms >= 0
    assert second == ChildCost()


async def test_a_child_costs_what_its_own_children_have_spent_too(
    rounds: Rounds, runs: ChildRuns, store: Store
) -> None:
    await rounds.append(0, 1)
    await runs.begin(0)
    key = keyspace.execution(runs.account.id, runs.child_id(0))
    await store.client.send("HSET", key, "spent", 3, "inner_spent", 4)
    assert await runs.end_child(0) is Verdict.OK

    [cost] = await store.children.rounds.costs(runs.ref, 1)
    assert cost.credits == 7
    assert (await runs.record(runs.parent_id))["inner_spent"] == b"7"


async def test_versions_of_tools_are_kept_while_the_parent_is_on_record(
    rounds: Rounds, runs: ChildRuns, store: Store
) -> None:
    await rounds.append(0, 1, calls=[rounds.target])

    slug = runs.workflow.slug
    assert (await runs.record(runs.root_id))["kept_versions"] == f"{slug}@1".encode()
    key = keyspace.workflow(runs.account.id, slug)
    assert await store.client.send("HMGET", key, "begun", "r1") == [b"1", b"b1"]


async def test_a_tool_that_is_gone_is_told(rounds: Rounds, runs: ChildRuns) -> None:
    gone = GroupTarget(slug=runs.workflow.slug, version=7)

    assert await rounds.append(0, 1, calls=[gone]) == CalleeGone()


async def test_nothing_is_added_for_a_parent_that_ends_or_a_group_that_is_cancelled(
    rounds: Rounds, runs: ChildRuns, store: Store
) -> None:
    await rounds.append(0, 1)
    await runs.begin(0)
    await store.children.cancel(runs.ref)
    assert await rounds.append(1, 1) == ParentEnded()

    status = await store.executions.cancel(runs.account.id, runs.root_id)
    assert status is ExecutionStatus.CANCEL_REQUESTED
    assert await rounds.append(1, 1) == ParentEnded()


async def test_rounds_count_for_the_most_children_of_a_root(
    rounds: Rounds, runs: ChildRuns, store: Store
) -> None:
    key = keyspace.execution(runs.account.id, runs.root_id)
    await store.client.send("HSET", key, "children", MAX_CHILDREN - 1)

    assert await rounds.append(0, 2) == TooManyChildren(MAX_CHILDREN - 1)
