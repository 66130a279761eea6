"""Groups are opened once, and their children begin once, while there is room."""

import pytest

from engine.access.capabilities import Tier
from engine.executions.batches import ItemStatus
from engine.executions.children import MAX_CHILDREN, GroupStatus
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.ids.partitions import partition_of
from engine.store import Store
from engine.store.children.keys import children, children_due, open_children
from engine.store.children.records import (
    CalleeGone,
    GroupOpened,
    GroupTarget,
    NewChild,
    ParentEnded,
    TooManyChildren,
)
from engine.store.executions.advance import Step, Verdict
from engine.store.redis import keyspace, process_keys
from engine.store.workflows.versions import VERSIONS_KEPT
from tests.support.store.child_runs import NODE, ChildRuns
from tests.support.store.claims import advance, claim
from tests.support.store.records import document


async def test_a_second_opening_finds_the_first(runs: ChildRuns, store: Store) -> None:
    first = await runs.try_open(3)
    second = await runs.try_open(2)  # by another worker, which the first one's death has called

    assert isinstance(first, GroupOpened)
    assert second == first
    group = await runs.group()
    assert (group.states, group.status, group.size) == ("qqq", GroupStatus.OPEN, 3)
    assert (group.node_id, group.over, group.concurrency, group.on_error) == (
        "t",
        "item",
        10,
        "fail",
    )
    assert group.target == GroupTarget(slug=runs.workflow.slug, version=1)
    assert not group.is_decided
    root = await runs.record(runs.root_id)
    assert (root["groups"], root["children"]) == (b"0=3", b"3")
    account_id = runs.account.id
    assert await store.client.send("ZRANGE", open_children(account_id), 0, -1) == [
        f"{runs.parent_id}/{NODE}".encode()
    ]
    due = children_due(partition_of(account_id))
    assert await store.client.send("ZRANGE", due, 0, -1) == [account_id.encode()]


async def test_the_version_of_the_callee_is_kept_from_the_opening_on(
    runs: ChildRuns, store: Store
) -> None:
    await runs.open(1)

    key = keyspace.workflow(runs.account.id, runs.workflow.slug)
    assert await store.client.send("HMGET", key, "begun", "r1") == [b"1", b"b1"]


async def test_a_group_without_items_is_done(runs: ChildRuns, store: Store) -> None:
    group = await runs.open(0)

    assert (group.status, group.states, group.is_decided) == (GroupStatus.DONE, "", True)
    assert not await store.client.send("EXISTS", open_children(runs.account.id))


async def test_a_group_of_a_workflow_that_is_gone_is_refused(runs: ChildRuns) -> None:
    other = GroupTarget(slug=runs.workflow.slug, version=7)

    assert await runs.try_open(1, target=other) == CalleeGone()
    assert "groups" not in await runs.record(runs.root_id)


@pytest.mark.A96c
async def test_a_root_has_at_most_100_000_children_over_all_its_groups(
    runs: ChildRuns, store: Store
) -> None:
    key = keyspace.execution(runs.account.id, runs.root_id)
    await store.client.send("HSET", key, "children", MAX_CHILDREN - 2)

    assert await runs.try_open(3) == TooManyChildren(MAX_CHILDREN - 2)
    assert isinstance(await runs.try_open(2), GroupOpened)
    assert (await runs.record(runs.root_id))["children"] == str(MAX_CHILDREN).encode()


async def test_nothing_opens_for_a_parent_that_ends_or_a_node_that_has(
    runs: ChildRuns, store: Store
) -> None:
    settled = Step(settled=[(NODE, NodeStatus.COMPLETED)])
    assert await advance(store, runs.parent, 2, settled) is Verdict.OK
    assert await runs.try_open(1) == ParentEnded()

    await runs.begin_root()
    status = await store.executions.cancel(runs.account.id, runs.root_id)
    assert status is ExecutionStatus.CANCEL_REQUESTED
    assert await runs.try_open(1) == ParentEnded()


async def test_items_and_shared_inputs_are_read_by_index(runs: ChildRuns, store: Store) -> None:
    many = [f"{index} {'x' * 300}" for index in range(700)]
    await runs.open(items=many, shared={"who": "me", "n": [1, {"a": None}]})

    items = store.children.items
    assert await items.shared(runs.ref) == {"who": "me", "n": [1, {"a": None}]}
    assert await items.read(runs.ref, [0, 350, 699]) == {0: many[0], 350: many[350], 699: many[699]}


async def test_a_child_begins_once(runs: ChildRuns, store: Store) -> None:
    await runs.open(3)

    assert await runs.begin(0, 2) == [0, 2]
    first = await runs.record(runs.child_id(0))
    assert await runs.begin(0, 2) == [0, 2]
    assert await runs.record(runs.child_id(0)) == first
    assert (await runs.group()).states == "pqp"
    root = await runs.record(runs.root_id)
    assert root["children_running"] == b"2"
    expected = {"parent": runs.parent_id, "parent_node": "0", "child": "0", "root": runs.root_id}
    expected |= {"depth": "2", "status": "processing", "statuses": "pp", "source": "sub"}
    assert {name: first[name].decode() for name in expected} == expected
    claimed = await claim(store, runs.reference(runs.child_id(2)))
    assert claimed.inputs == {"item": "item 2"}


async def test_the_hints_of_children_wait_in_the_bulk_queue(runs: ChildRuns, store: Store) -> None:
    await runs.open(2)

    await runs.begin(0, 1)

    hints = await store.client.send("LRANGE", process_keys.hints("bulk"), 0, -1)
    references = [runs.reference(runs.child_id(index)).encode() for index in (0, 1)]
    assert [each.partition(b"|")[2] for each in hints] == references
    due = keyspace.due(partition_of(runs.account.id))
    assert None not in await store.client.send("ZMSCORE", due, *references)


async def test_a_child_is_no_execution_of_its_accounts_lists(runs: ChildRuns, store: Store) -> None:
    await runs.open(1)

    await runs.begin(0)

    account_id = runs.account.id
    root = [runs.root_id.encode()]
    assert await store.client.send("ZRANGE", keyspace.account_executions(account_id), 0, -1) == root
    assert await store.client.send("SMEMBERS", keyspace.active(account_id)) in (set(root), root)


@pytest.mark.parametrize(
    ("concurrency", "running", "begun"), [(2, 0, [0, 1]), (10, 199, [0]), (10, 200, [])]
)
async def test_children_begin_while_group_and_root_have_room(
    runs: ChildRuns, store: Store, concurrency: int, running: int, begun: list[int]
) -> None:
    await runs.open(3, concurrency=concurrency)
    key = keyspace.execution(runs.account.id, runs.root_id)
    await store.client.send("HSET", key, "children_running", running)

    assert await runs.begin(0, 1, 2) == begun


async def test_nothing_begins_once_the_root_ends_or_the_group_is_cancelled(
    runs: ChildRuns, store: Store
) -> None:
    await runs.open(3)
    assert await runs.begin(0) == [0]
    assert await store.children.cancel(runs.ref) is GroupStatus.CANCELLING
    assert await runs.begin(1) == []
    assert (await runs.group()).states == "pxx"

    await runs.begin_root()
    await runs.open(1)
    await store.executions.cancel(runs.account.id, runs.root_id)
    assert await runs.begin(0) == []
    assert not await runs.record(runs.child_id(0))


async def test_a_group_without_running_children_is_done_once_cancelled(
    runs: ChildRuns, store: Store
) -> None:
    await runs.open(2)

    assert await store.children.cancel(runs.ref) is GroupStatus.DONE
    assert await store.children.cancel(runs.ref) is GroupStatus.DONE
    group = await runs.group()
    assert (group.states, group.counts.cancelled) == ("xx", 2)
    assert group.status_of(1) is ItemStatus.CANCELLED


async def test_more_children_than_a_block_of_states_has(runs: ChildRuns, store: Store) -> None:
    await runs.open(2_500, concurrency=100)

    assert await runs.begin(999, 1_000, 2_499) == [999, 1_000, 2_499]

    states = (await runs.group()).states
    assert len(states) == 2_500
    assert [place for place, code in enumerate(states) if code == "p"] == [999, 1_000, 2_499]
    key = children(runs.account.id, runs.parent_id, NODE)
    assert await store.client.send("HMGET", key, "queued", "running") == [b"2497", b"3"]


async def test_children_with_fields_of_their_own(runs: ChildRuns, store: Store) -> None:
    group = await runs.open(2)
    new = [
        NewChild(index=0, statuses="cp", fields={"slug": "echo", "r0.0": b"rows"}),
        NewChild(index=1, statuses="pp", fields={"slug": "echo"}),
    ]

    assert await store.children.begin(group, new) == [0, 1]

    kept, anew = [await runs.record(runs.child_id(index)) for index in (0, 1)]
    assert (kept["r0.0"], kept["statuses"], kept["slug"]) == (b"rows", b"cp", b"echo")
    assert "r0.0" not in anew


async def test_the_version_of_an_open_group_is_kept(runs: ChildRuns, store: Store) -> None:
    account_id, slug = runs.account.id, runs.workflow.slug
    other = await store.workflows.create(account_id, document("Other"), [])
    await runs.open(1, target=GroupTarget(slug=other.slug, version=1))
    for number in range(VERSIONS_KEPT + 2):
        await store.workflows.update(account_id, other.slug, document(text=f"{number}"), [])

    await store.versions.make_room(account_id, other.slug)

    assert slug != other.slug
    fields = await store.client.send("HKEYS", keyspace.workflow(account_id, other.slug))
    assert b"d1" in fields
    assert b"d2" not in fields


async def test_the_version_of_a_public_workflow_is_kept_while_others_may_run_it(
    runs: ChildRuns, store: Store
) -> None:
    owner = await store.accounts.create(email="eve@example.org", tier=Tier.PRO)
    called = await store.workflows.create(owner.id, document("Called"), [])
    target = GroupTarget(slug=called.slug, version=1, owner_id=owner.id)
    await store.workflows.update(owner.id, called.slug, document(text="later"), [])

    await runs.open(1, target=target)
    for number in range(VERSIONS_KEPT + 2):
        await store.workflows.update(owner.id, called.slug, document(text=f"{number}"), [])
    await store.versions.make_room(owner.id, called.slug)

    fields = await store.client.send("HKEYS", keyspace.workflow(owner.id, called.slug))
    assert b"d1" in fields
    assert b"d2" not in fields


async def test_a_call_of_a_public_workflows_version_that_is_gone_is_refused(
    runs: ChildRuns, store: Store
) -> None:
    owner = await store.accounts.create(email="eve@example.org", tier=Tier.PRO)
    called = await store.workflows.create(owner.id, document("Called"), [])
    gone = GroupTarget(slug=called.slug, version=2, owner_id=owner.id)

    assert await runs.try_open(1, target=gone) == CalleeGone()
    await store.workflows.delete(owner.id, called.slug)
    assert (
        await runs.try_open(1, target=GroupTarget(slug=called.slug, version=1, owner_id=owner.id))
        == CalleeGone()
    )
