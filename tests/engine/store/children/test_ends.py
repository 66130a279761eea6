"""A node waits without a worker, and the end of a child wakes it, once."""

import time
from dataclasses import replace

import pytest

from engine.executions.batches import ItemStatus
from engine.executions.children import GroupStatus
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.ids.partitions import partition_of
from engine.store import Store
from engine.store.children.keys import children, open_children
from engine.store.executions.advance import Step, Verdict
from engine.store.executions.record_fields import parse_nodes
from engine.store.redis import keyspace, process_keys
from engine.store.redis.record_packing import pack
from tests.support.store.child_runs import FAR, NODE, ChildRuns
from tests.support.store.claims import advance, claim
from tests.support.store.records import BOTH_DONE

COMPLETED, FAILED, CANCELLED = (
    ExecutionStatus.COMPLETED,
    ExecutionStatus.FAILED,
    ExecutionStatus.CANCELLED,
)


async def test_a_waiting_node_holds_no_worker_and_its_attempt_goes_on(
    runs: ChildRuns, store: Store
) -> None:
    parked = await runs.park()

    assert (parked.verdict, parked.codes, parked.is_woken) == (Verdict.OK, "wp", False)
    assert await runs.due(runs.root_id) == FAR
    record = await runs.record(runs.root_id)
    node = parse_nodes(record)[NODE]
    assert (node.status, node.attempts) == (NodeStatus.WAITING, 1)
    assert node.started_at == runs.begun_at
    waiting = await runs.parent_claim()
    assert (waiting.fence, waiting.attempts, waiting.at) == (0, 0, FAR)
    claimed = await claim(store, runs.reference(runs.root_id), "w2")
    assert claimed.statuses[NODE] is NodeStatus.WAITING
    assert await advance(store, claimed, 1, Step(claimed=[NODE]), "w2") is Verdict.OK
    assert (await runs.parent_claim()).attempts == 1
    assert parse_nodes(await runs.record(runs.root_id))[NODE].started_at == runs.begun_at


async def test_a_second_worker_may_go_on_with_a_node_whose_wait_is_over(
    runs: ChildRuns, store: Store
) -> None:
    now = int(time.time() * 1000)
    for until, is_claimable in ((now + 60_000, False), (now - 1, True)):
        step = Step(parked=[(NODE, until)])
        assert await advance(store, runs.parent, 2, step) is Verdict.OK
        claimed = await store.walks.claim(runs.reference(runs.root_id), "w2")
        assert (claimed is not None) is is_claimable
        await runs.begin_root()


@pytest.mark.F55
async def test_the_last_end_wakes_the_parent(runs: ChildRuns, store: Store) -> None:
    await runs.open(2)
    await runs.begin(0, 1)
    await runs.park()
    walk = process_keys.hints("walk")
    await store.client.send("DEL", walk)

    assert await runs.end_child(1, result=pack("one"), size=30) is Verdict.OK
    assert await runs.due(runs.root_id) == FAR
    assert await runs.end_child(0, result=pack("two"), size=12) is Verdict.OK

    group = await runs.group()
    assert (group.status, group.states, group.is_decided) == (GroupStatus.DONE, "cc", True)
    outcomes = await store.children.outcomes(group, [0, 1])
    assert [each.packed for each in outcomes] == [pack("two"), pack("one")]
    due = await runs.due(runs.root_id)
    assert due is not None and due < FAR
    assert await store.client.send("LRANGE", walk, 0, -1) == [
        f"walk|{runs.reference(runs.root_id)}".encode()
    ]
    root = await runs.record(runs.root_id)
    assert (root["children_running"], root["child_bytes"]) == (b"0", b"42")
    assert not await store.client.send("EXISTS", open_children(runs.account.id))
    claimed = await claim(store, runs.reference(runs.root_id), "w3")
    assert await advance(store, claimed, 1, Step(claimed=[NODE]), "w3") is Verdict.OK


async def test_an_end_before_the_wait_makes_the_wait_end_at_once(
    runs: ChildRuns, store: Store
) -> None:
    await runs.open(1)
    await runs.begin(0)
    await runs.end_child(0)

    parked = await runs.park()

    assert (parked.verdict, parked.is_woken) == (Verdict.OK, True)
    due = await runs.due(runs.root_id)
    assert due is not None and due < FAR
    assert await store.walks.claim(runs.reference(runs.root_id), "w2") is not None


async def test_a_walker_that_stays_is_told_that_the_wait_is_over(
    runs: ChildRuns, store: Store
) -> None:
    await runs.open(1)
    await runs.begin(0)
    await runs.end_child(0)
    due = keyspace.due(partition_of(runs.account.id))
    await store.client.send("ZREM", due, runs.reference(runs.root_id))

    parked = await store.walks.advance(runs.parent.lease, 2, Step(parked=[(NODE, FAR)]))

    assert (parked.codes, parked.is_woken) == ("wp", True)
    at = await runs.due(runs.root_id)
    assert at is not None and at < FAR
    assert await store.walks.claim(runs.reference(runs.root_id), "w2") is not None


@pytest.mark.F55
async def test_a_repeated_end_counts_once(runs: ChildRuns, store: Store) -> None:
    await runs.open(2)
    await runs.begin(0, 1)
    claimed = await runs.claim_child(0)
    step = Step(settled=BOTH_DONE, end=COMPLETED, slug=runs.workflow.slug)

    for _ in range(2):
        assert await advance(store, claimed, 1, step, "w2") is Verdict.OK

    assert (await runs.group()).states == "cp"
    key = children(runs.account.id, runs.parent_id, NODE)
    assert await store.client.send("HGET", key, "running") == b"1"
    assert (await runs.record(runs.root_id))["children_running"] == b"1"


async def test_a_failed_item_decides_the_node_that_fails_with_it(
    runs: ChildRuns, store: Store
) -> None:
    await runs.open(4)
    await runs.begin(0, 1)
    await runs.park()

    await runs.end_child(1, FAILED)

    group = await runs.group()
    assert (group.status, group.failed, group.states) == (GroupStatus.CANCELLING, 1, "pfxx")
    assert group.is_decided
    [outcome] = await store.children.outcomes(group, [1])
    assert (outcome.status, outcome.error) == (
        ItemStatus.FAILED,
        {"code": "X", "message": "broken"},
    )
    due = await runs.due(runs.root_id)
    assert due is not None and due < FAR
    assert await runs.begin(2) == []
    assert await runs.end_child(0, CANCELLED) is Verdict.OK
    group = await runs.group()
    assert (group.status, group.failed, group.states) == (GroupStatus.DONE, 1, "xfxx")


@pytest.mark.parametrize("on_error", ["null", "skip"])
async def test_other_items_go_on_where_the_node_does_not_fail_with_one(
    runs: ChildRuns, on_error: str
) -> None:
    await runs.open(2, on_error=on_error)
    await runs.begin(0, 1)
    await runs.park()

    await runs.end_child(1, FAILED)

    group = await runs.group()
    assert (group.status, group.failed, group.states) == (GroupStatus.OPEN, None, "pf")
    assert await runs.due(runs.root_id) == FAR
    await runs.end_child(0)
    assert (await runs.group()).status is GroupStatus.DONE


async def test_a_failure_that_ends_the_root_decides_the_node_whatever_its_settings_say(
    runs: ChildRuns,
) -> None:
    await runs.open(3, on_error="skip")
    await runs.begin(0)

    await runs.end_child(0, FAILED, ends_root=True)

    group = await runs.group()
    assert (group.status, group.failed, group.states) == (GroupStatus.DONE, 0, "fxx")


async def test_the_end_of_a_parent_has_its_groups_looked_at(runs: ChildRuns, store: Store) -> None:
    await runs.open(2)
    await runs.begin(0)
    key = open_children(runs.account.id)
    await store.client.send("ZADD", key, FAR, f"{runs.parent_id}/{NODE}")
    await runs.park()

    assert await store.executions.cancel(runs.account.id, runs.root_id) is CANCELLED

    [(_, at)] = await store.client.send("ZRANGE", key, 0, -1, "WITHSCORES")
    assert float(at) < FAR
    assert (await runs.record(runs.root_id))["statuses"] == b"xx"


@pytest.mark.parametrize("may_have_groups", [True, False])
async def test_a_step_that_ends_a_parent_has_them_looked_at_too(
    runs: ChildRuns, store: Store, *, may_have_groups: bool
) -> None:
    await runs.open(1)
    key = open_children(runs.account.id)
    await store.client.send("ZADD", key, FAR, f"{runs.parent_id}/{NODE}")

    step = Step(end=FAILED, may_have_groups=may_have_groups, slug=runs.workflow.slug)
    assert await advance(store, runs.parent, 2, step) is Verdict.OK

    [(_, at)] = await store.client.send("ZRANGE", key, 0, -1, "WITHSCORES")
    assert (float(at) < FAR) is may_have_groups


async def test_a_child_of_a_root_that_ends_is_cancelled_by_its_next_step(
    runs: ChildRuns, store: Store
) -> None:
    await runs.open(1)
    await runs.begin(0)
    claimed = await runs.claim_child(0)
    await store.executions.cancel(runs.account.id, runs.root_id)

    assert await advance(store, claimed, 1, Step(claimed=[0]), "w2") is Verdict.CANCEL
    step = Step(settled=BOTH_DONE, end=COMPLETED)
    assert await advance(store, claimed, 1, step, "w2") is Verdict.CANCEL
    step = Step(end=CANCELLED, slug=runs.workflow.slug)
    assert await advance(store, claimed, 1, step, "w2") is Verdict.OK
    assert (await runs.group()).states == "x"


async def test_a_cancelled_child_is_counted(runs: ChildRuns, store: Store) -> None:
    await runs.open(1)
    await runs.begin(0)
    await runs.park()

    status = await store.executions.cancel(runs.account.id, runs.child_id(0))

    assert status is CANCELLED
    group = await runs.group()
    assert (group.status, group.states) == (GroupStatus.DONE, "x")
    due = await runs.due(runs.root_id)
    assert due is not None and due < FAR


async def test_children_that_wait_for_their_own_do_not_count_as_running(
    runs: ChildRuns, store: Store
) -> None:
    await runs.open(1)
    await runs.begin(0)
    await runs.become_parent(runs.child_id(0))
    await runs.open(1, depth=3)
    assert (await runs.record(runs.root_id))["children_running"] == b"1"

    await runs.park()
    assert (await runs.record(runs.root_id))["children_running"] == b"0"
    await runs.begin(0)
    await runs.end_child(0)

    record = await runs.record(runs.parent_id)
    assert (record["statuses"], record["groups"]) == (b"wp", b"0=1")
    bulk = await store.client.send("LRANGE", process_keys.hints("bulk"), -1, -1)
    assert bulk == [f"walk|{runs.reference(runs.parent_id)}".encode()]
    claimed = await claim(store, runs.reference(runs.parent_id), "w3")
    assert await advance(store, claimed, 1, Step(claimed=[NODE]), "w3") is Verdict.OK
    assert (await runs.record(runs.root_id))["children_running"] == b"1"
    root = await runs.record(runs.root_id)
    assert root["children"] == b"2"


async def test_an_end_after_its_parent_is_gone_leaves_nothing(
    runs: ChildRuns, store: Store
) -> None:
    await runs.open(1)
    await runs.begin(0)
    claimed = await runs.claim_child(0)
    account_id = runs.account.id
    gone = (
        children(account_id, runs.parent_id, NODE),
        keyspace.execution(account_id, runs.root_id),
    )
    await store.client.send("DEL", *gone)

    step = Step(end=CANCELLED, slug=runs.workflow.slug)
    assert await advance(store, claimed, 1, step, "w2") is Verdict.OK

    assert await store.client.send("EXISTS", *gone) == 0


async def test_the_watchers_of_the_root_are_told_of_children(runs: ChildRuns, store: Store) -> None:
    await runs.begin_root(watcher="hr:test")
    await runs.open(1)
    await runs.begin(0)
    await runs.end_child(0)

    key = keyspace.events(runs.account.id, runs.root_id)
    entries = [fields for _, fields in await store.client.send("XRANGE", key, "-", "+")]
    told = [
        {name.decode(): value.decode() for name, value in zip(each[::2], each[1::2], strict=True)}
        for each in entries
        if each[0] == b"child"
    ]
    place = {"id": runs.child_id(0), "parent": runs.root_id, "node": "t", "index": "0"}
    assert told == [
        {"child": "started", **place, "status": "processing"},
        {"child": "finished", **place, "status": "completed"},
    ]


async def test_a_claim_has_the_place_of_a_child(runs: ChildRuns) -> None:
    await runs.open(2)
    await runs.begin(1)

    claimed = await runs.claim_child(1)

    assert (claimed.group, claimed.child_index, claimed.root_id) == (runs.ref, 1, runs.root_id)
    assert claimed.without_unread_fields().child_index == 1
    assert replace(claimed.lease, group=None) != claimed.lease
    assert (runs.parent.group, runs.parent.root_id) == (None, runs.root_id)


async def test_watchers_see_one_start_of_a_node_that_waits(runs: ChildRuns, store: Store) -> None:
    await runs.begin_root(watcher="hr:test")
    await runs.park()
    claimed = await claim(store, runs.reference(runs.root_id), "w2")
    await advance(store, claimed, 1, Step(claimed=[NODE]), "w2")

    page = await store.events.read(runs.account.id, runs.root_id, 1)

    names = [event.name for entry in page.entries for event in entry.events()]
    assert names == ["execution.started", "node.started"]


async def test_a_watcher_who_comes_late_sees_the_start_of_a_node_that_waits(
    runs: ChildRuns, store: Store
) -> None:
    await runs.park()

    page = await store.events.read(runs.account.id, runs.root_id, 1)

    events = [event for entry in page.entries for event in entry.events()]
    assert [(each.name, each.attempt) for each in events] == [
        ("execution.started", 0),
        ("node.started", 1),
    ]


async def test_an_item_that_cannot_begin_fails_once(runs: ChildRuns, store: Store) -> None:
    await runs.open(2, on_error="null")
    await runs.begin(1)
    await runs.park()
    error = {"code": "invalid_inputs", "message": "no number"}

    assert await store.children.fail(runs.ref, 0, error)
    assert not await store.children.fail(runs.ref, 0, error)
    assert not await store.children.fail(runs.ref, 1, error)

    assert (await runs.group()).states == "fp"
    await runs.end_child(1)
    group = await runs.group()
    assert (group.status, group.states) == (GroupStatus.DONE, "fc")
    [outcome] = await store.children.outcomes(group, [0])
    assert outcome.error == error


async def test_an_item_that_cannot_begin_wakes_the_node_that_fails_with_it(
    runs: ChildRuns, store: Store
) -> None:
    await runs.open(3)
    await runs.park()
    walk = process_keys.hints("walk")
    await store.client.send("DEL", walk)

    assert await store.children.fail(runs.ref, 1, {"code": "X", "message": "broken"})

    group = await runs.group()
    assert (group.status, group.failed, group.states) == (GroupStatus.DONE, 1, "xfx")
    assert await store.client.send("LLEN", walk) == 1
    due = await runs.due(runs.root_id)
    assert due is not None and due < FAR
