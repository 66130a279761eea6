"""Children that a worker has walked begin and end in one step."""

from engine.executions.children import GroupStatus
from engine.executions.statuses import ExecutionStatus
from engine.store import Store
from engine.store.children.keys import open_children
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from tests.support.store.child_runs import FAR, ChildRuns


async def finish(runs: ChildRuns, *indexes: int, most_bytes: int = 1_000_000) -> list[int] | None:
    children = [runs.walked(index) for index in indexes]
    return await runs.store.children.finish(await runs.group(), children, most_bytes)


async def test_walked_children_end_in_one_step_and_wake_their_parent(
    runs: ChildRuns, store: Store
) -> None:
    await runs.open(3)
    await runs.park()

    assert await finish(runs, 0, 2) == [0, 2]
    assert await runs.due(runs.root_id) == FAR
    assert await finish(runs, 1) == [1]

    group = await runs.group()
    assert (group.status, group.states) == (GroupStatus.DONE, "ccc")
    outcomes = await store.children.outcomes(group, range(3))
    assert [each.packed for each in outcomes] == [pack(f"done {index}") for index in range(3)]
    due = await runs.due(runs.root_id)
    assert due is not None and due < FAR
    root = await runs.record(runs.root_id)
    assert (root["child_bytes"], root.get("children_running", b"0")) == (b"30", b"0")
    assert await store.client.send("ZCARD", open_children(runs.account.id)) == 0


async def test_a_walked_child_is_an_execution_like_any_other(runs: ChildRuns, store: Store) -> None:
    await runs.open(1)
    await runs.park()
    await finish(runs, 0)

    child = await store.executions.get(runs.account.id, runs.child_id(0))

    assert child.status is ExecutionStatus.COMPLETED
    assert child.result == {"text": "done 0"}
    assert [node.status.value for node in child.nodes] == ["completed", "completed"]
    assert child.duration_ms == 0
    assert await store.client.send("SISMEMBER", keyspace.active(runs.account.id), child.id) == 0


async def test_a_child_ends_once_however_often_it_is_walked(runs: ChildRuns) -> None:
    await runs.open(3)
    await runs.park()
    await runs.begin(1)

    assert await finish(runs, 0, 1) == [0, 1]
    assert await finish(runs, 0, 2) == [0, 2]

    assert (await runs.record(runs.child_id(1)))["status"] == b"processing"
    group = await runs.group()
    assert (group.status, group.states) == (GroupStatus.OPEN, "cpc")
    assert (await runs.record(runs.root_id))["child_bytes"] == b"20"


async def test_no_walked_child_begins_after_a_cancel(runs: ChildRuns, store: Store) -> None:
    await runs.open(2)
    await runs.park()
    await store.executions.cancel(runs.account.id, runs.root_id)

    assert await finish(runs, 0) == []
    assert await runs.record(runs.child_id(0)) == {}


async def test_watchers_of_the_root_are_told_of_walked_children(
    runs: ChildRuns, store: Store
) -> None:
    await runs.open(1)
    await runs.park()
    await store.client.send("HSET", keyspace.execution(runs.account.id, runs.root_id), "events", 0)

    await finish(runs, 0)

    entries = await store.client.send(
        "XRANGE", keyspace.events(runs.account.id, runs.root_id), "-", "+"
    )
    changes = [entry[1][1] for entry in entries if entry[1][0] == b"child"]
    assert changes == [b"started", b"finished"]


async def test_walked_children_that_are_too_large_for_their_root_change_nothing(
    runs: ChildRuns,
) -> None:
    await runs.open(3)

    assert await finish(runs, 0, most_bytes=20) == [0]
    assert await finish(runs, 1, 2, most_bytes=20) is None

    assert (await runs.group()).states == "cqq"
    assert await runs.record(runs.child_id(1)) == {}
