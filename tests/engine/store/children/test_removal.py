"""Groups go with their parent, children like other executions, and lost ones are found."""

from engine.ids.partitions import partition_of
from engine.store import Store
from engine.store.archive.ended_executions import EndedExecutions
from engine.store.children.keys import GROUPS, children
from engine.store.executions.advance import Verdict
from engine.store.redis import keyspace
from tests.support.store.child_runs import NODE, ChildRuns


async def end_all(runs: ChildRuns) -> tuple[str, str]:
    """End a root and its child; return their references."""
    await runs.open(1)
    await runs.begin(0)
    assert await runs.end_child(0) is Verdict.OK
    assert await runs.end_parent() is Verdict.OK
    return runs.reference(runs.root_id), runs.reference(runs.child_id(0))


async def test_a_group_is_forgotten_with_its_parent_once_both_are_archived(
    runs: ChildRuns, store: Store
) -> None:
    root, child = await end_all(runs)
    ended = EndedExecutions(store.client)
    later = await store.leases.now() + 60_000
    assert set(await ended.unarchived(10)) == {root, child}
    group = children(runs.account.id, runs.root_id, NODE)

    assert await ended.forget(child, later, "")
    assert not await runs.record(runs.child_id(0))
    assert await store.client.send("EXISTS", group) == 1  # it has the result of the child
    groups = (await ended.last_facts([root]))[root].groups
    assert await ended.forget(root, later, "", groups)

    assert await store.client.send("EXISTS", group) == 0
    assert await ended.unarchived(10) == []


async def test_a_group_is_removed_with_its_parent_after_the_retention(
    runs: ChildRuns, store: Store
) -> None:
    await end_all(runs)

    pruned = await store.leases.prune(await store.leases.now() + 60_000)

    assert pruned.executions == 2
    account_id = runs.account.id
    assert not await store.client.send("EXISTS", children(account_id, runs.root_id, NODE))
    assert not await store.client.send("EXISTS", keyspace.finished(partition_of(account_id)))


async def test_the_groups_of_a_parent_are_on_its_record(runs: ChildRuns) -> None:
    await runs.open(2)

    assert (await runs.record(runs.root_id))[GROUPS] == b"0=2"


async def test_a_child_that_nobody_holds_and_that_is_not_due_is_found_and_goes_on(
    runs: ChildRuns, store: Store
) -> None:
    await runs.open(3)
    await runs.begin(0, 1)
    lost, held = [runs.reference(runs.child_id(index)) for index in (0, 1)]
    await runs.claim_child(1, "w2")
    due = keyspace.due(partition_of(runs.account.id))
    await store.client.send("ZREM", due, lost)

    found = await store.orphans.not_due([runs.account.id])
    assert found == {lost, held, runs.reference(runs.root_id)}
    unheld = await store.orphans.unheld(found, ["w1", "w2"])
    assert unheld == {lost: "0"}
    assert await store.orphans.free(lost, "0")

    assert await store.client.send("ZSCORE", due, lost) is not None
