"""Retention of a workflow's versions, and of the names of their nodes."""

import pytest

from engine.errors import WorkflowNotFound
from engine.ids.partitions import partition_of
from engine.settings import Settings
from engine.store import Account, Store, Workflow
from engine.store.redis import keyspace
from engine.store.waits.keys import waited
from engine.store.workflows.versions import NAMES_KEPT, UNDO_MS, VERSIONS_KEPT
from tests.support.store.records import accept, document, save


async def kept(store: Store, account: Account, slug: str = "echo") -> set[int]:
    """Return the versions with a document."""
    fields = await store.client.send("HKEYS", keyspace.workflow(account.id, slug))
    names = (field.decode() for field in fields)
    return {int(name[1:]) for name in names if name[0] == "d" and name[1:].isdigit()}


async def named(store: Store, account: Account, slug: str = "echo") -> set[int]:
    """Return the versions with recorded names."""
    fields = await store.client.send("HKEYS", keyspace.workflow_node_names(account.id, slug))
    return {int(field[1:]) for field in fields if field[:1] == b"v"}


async def counted(store: Store, account: Account) -> tuple[int, int]:
    """Return the counted bytes and workflows."""
    key = keyspace.stored_documents(account.id)
    found = await store.client.send("HMGET", key, "bytes", "workflows")
    return int(found[0] or 0), int(found[1] or 0)


async def stored(store: Store, account: Account, *slugs: str) -> tuple[int, int]:
    """Return the stored bytes and workflows."""
    size = count = 0
    for slug in slugs:
        workflow = await store.client.send("HGETALL", keyspace.workflow(account.id, slug))
        names = await store.client.send("HGETALL", keyspace.workflow_node_names(account.id, slug))
        size += sum(
            len(v) for k, v in workflow.items() if k[:1] in (b"d", b"m") and k[1:].isdigit()
        )
        size += sum(len(v) for k, v in names.items() if k[:1] == b"n")
        count += bool(workflow)
    return size, count


async def save_often(store: Store, account: Account, times: int, slug: str = "echo") -> Workflow:
    for number in range(times):
        saved = document(text=f"{number}")
        workflow = await store.workflows.update(account.id, slug, saved, [])
    return workflow


async def run_current(store: Store, account: Account, slug: str = "echo") -> str:
    workflow, plan = await store.workflows.plan(slug, fresh=True)
    assert plan is not None
    return (await accept(store, account, workflow, plan)).id


async def make_due(store: Store, account: Account, slug: str = "echo") -> None:
    """Let the time of the workflow's review come."""
    due = keyspace.workflows_due(partition_of(account.id))
    await store.client.send("ZADD", due, "XX", 1, keyspace.reference(account.id, slug))


async def when_due(store: Store, account: Account, slug: str = "echo") -> int:
    """Return the time of the workflow's review in milliseconds; 0 for none."""
    due = keyspace.workflows_due(partition_of(account.id))
    at = await store.client.send("ZSCORE", due, keyspace.reference(account.id, slug))
    return int(at or 0)


async def test_the_last_versions_are_kept_and_older_ones_go_with_the_save(
    store: Store, account: Account
) -> None:
    await save(store, account)

    last = await save_often(store, account, VERSIONS_KEPT + 4)

    assert last.version == VERSIONS_KEPT + 5
    assert await kept(store, account) == set(range(6, VERSIONS_KEPT + 6))
    assert await counted(store, account) == await stored(store, account, "echo")
    with pytest.raises(WorkflowNotFound):
        await store.workflows.plan_of(account.id, "echo", 5)


async def test_a_version_that_runs_is_kept_until_its_execution_has_ended(
    store: Store, settings: Settings, account: Account
) -> None:
    await save(store, account)
    running = await run_current(store, account)
    await save_often(store, account, VERSIONS_KEPT + 5)
    other = Store.open(settings)

    await store.versions.prune()

    assert await kept(store, account) == {1, *range(7, VERSIONS_KEPT + 7)}
    claimed = await other.walks.claim(keyspace.reference(account.id, running), "w1")
    assert claimed is not None
    assert await other.workflows.plan_of(account.id, claimed.slug, claimed.version)

    # Like an execution that only waits, and then like one that has ended.
    await store.client.send("SMOVE", keyspace.active(account.id), waited(account.id), running)
    await make_due(store, account)
    await store.versions.prune()
    assert 1 in await kept(store, account)
    await store.client.send("SREM", waited(account.id), running)
    await make_due(store, account)
    await store.versions.prune()

    assert await kept(store, account) == set(range(7, VERSIONS_KEPT + 7))
    assert await counted(store, account) == await stored(store, account, "echo")
    await other.close()


async def test_a_former_version_that_begins_to_run_during_a_review_is_spared(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("engine.store.workflows.versions", "engine.store.workflows.saves"):
        monkeypatch.setattr(f"{module}.VERSIONS_KEPT", 2)
    await save(store, account)
    await store.executions.cancel(account.id, await run_current(store, account))
    await save_often(store, account, 2)
    read_running = store.versions._running

    async def begin_after_reading(account_id: str) -> dict[str, set[int]]:
        found = await read_running(account_id)
        workflow, plan = await store.workflows.own_plan(account.id, "echo", version=1)
        assert plan is not None
        await accept(store, account, workflow, plan, is_named_version=True)
        return found

    monkeypatch.setattr(store.versions, "_running", begin_after_reading)
    await store.versions.prune()

    assert await kept(store, account) == {1, 2, 3}


async def test_executions_of_a_version_that_is_gone_still_name_their_nodes(
    store: Store, settings: Settings, account: Account
) -> None:
    await save(store, account)
    running = await run_current(store, account)
    await store.executions.cancel(account.id, running)
    await save_often(store, account, VERSIONS_KEPT)
    other = Store.open(settings)

    await store.versions.prune()

    assert 1 not in await kept(store, account)
    names = await other.workflows.node_names(account.id, "echo", 1, ())
    assert [(name.id, name.type) for name in names] == [("t", "textBox"), ("out", "responseOutput")]
    with pytest.raises(WorkflowNotFound):
        await other.workflows.plan_of(account.id, "echo", 1)
    await other.close()


async def test_names_go_when_no_execution_of_their_version_can_be_read(
    store: Store, account: Account
) -> None:
    await save(store, account)
    await store.executions.cancel(account.id, await run_current(store, account))
    await save_often(store, account, VERSIONS_KEPT)
    await store.versions.prune()
    key = keyspace.workflow_node_names(account.id, "echo")
    gone = await store.client.send("HGET", key, "v1")
    digest, since = gone.decode().split(":")
    assert 29 * 86_400_000 < await when_due(store, account) - int(since) <= 30 * 86_400_000

    await store.client.send("HSET", key, "v1", f"{digest}:1")
    await make_due(store, account)
    await store.versions.prune()

    assert 1 not in await named(store, account)
    assert await when_due(store, account) == 0
    assert await store.workflows.node_names(account.id, "echo", 2, ())


async def test_a_save_has_a_version_looked_at_now_though_names_are_due_later(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("engine.store.workflows.versions", "engine.store.workflows.saves"):
        monkeypatch.setattr(f"{module}.VERSIONS_KEPT", 1)
    await save(store, account)
    await store.executions.cancel(account.id, await run_current(store, account))
    await save_often(store, account, 1)
    await store.versions.prune()
    later = await when_due(store, account)

    await run_current(store, account)
    await save_often(store, account, 1)

    now = await store.leases.now()
    assert await when_due(store, account) <= now < later


async def test_names_of_versions_that_never_ran_go_with_their_document(
    store: Store, account: Account
) -> None:
    await save(store, account)

    await save_often(store, account, VERSIONS_KEPT + 3)

    assert await named(store, account) == await kept(store, account)
    assert await when_due(store, account) == 0


async def test_no_more_names_are_kept_than_are_useful(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.workflows.versions.NAMES_KEPT", 2)
    monkeypatch.setattr("engine.store.workflows.saves.VERSIONS_KEPT", 1)
    monkeypatch.setattr("engine.store.workflows.versions.VERSIONS_KEPT", 1)
    await save(store, account)
    for _ in range(4):
        await store.executions.cancel(account.id, await run_current(store, account))
        await save_often(store, account, 1)

    await store.versions.prune()

    assert NAMES_KEPT > 2
    assert await kept(store, account) == {5}
    assert await named(store, account) == {3, 4, 5}


async def test_equal_names_are_stored_once(store: Store, account: Account) -> None:
    await save(store, account)
    await save_often(store, account, 9)

    record = await store.client.send("HGETALL", keyspace.workflow_node_names(account.id, "echo"))

    assert len([name for name in record if name[:1] == b"n"]) == 1
    assert [value for name, value in record.items() if name[:1] == b"c"] == [b"10"]


# -- deletes --------------------------------------------------------------------------------------


async def test_of_a_deleted_workflow_the_last_version_stays_as_long_as_it_can_be_taken_back(
    store: Store, account: Account
) -> None:
    await save(store, account)
    await save_often(store, account, 9)
    before = await counted(store, account)

    await store.workflows.delete(account.id, "echo")
    await store.versions.prune()

    assert await kept(store, account) == {10}
    assert await counted(store, account) == await stored(store, account, "echo")
    assert await counted(store, account) < before
    deleted = await store.client.send("HGET", keyspace.workflow(account.id, "echo"), "deleted")
    assert await when_due(store, account) == int(deleted) + 30 * 86_400_000


async def test_it_is_gone_when_that_time_is_over_and_its_last_execution_has_ended(
    store: Store, account: Account
) -> None:
    await save(store, account)
    running = await run_current(store, account)
    await store.workflows.delete(account.id, "echo")
    key = keyspace.workflow(account.id, "echo")
    await store.client.send("HSET", key, "deleted", 1)

    await store.versions.prune()
    assert await kept(store, account) == {1}

    await store.executions.cancel(account.id, running)
    await make_due(store, account)
    await store.versions.prune()
    assert not await store.client.send("EXISTS", key)
    assert await counted(store, account) == await stored(store, account, "echo")
    assert (await counted(store, account))[1] == 0
    assert await store.workflows.node_names(account.id, "echo", 1, ())

    names = keyspace.workflow_node_names(account.id, "echo")
    digest = (await store.client.send("HGET", names, "v1")).decode().split(":")[0]
    await store.client.send("HSET", names, "v1", f"{digest}:1")
    await make_due(store, account)
    await store.versions.prune()
    assert not await store.client.send("EXISTS", names)
    assert await counted(store, account) == (0, 0)
    assert await when_due(store, account) == 0
    assert (await store.workflows.create(account.id, document(), [])).slug == "echo-2"


async def test_much_that_is_due_goes_in_bounded_steps(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.workflows.versions.REMOVED_AT_ONCE", 4)
    monkeypatch.setattr("engine.store.workflows.versions.LOOKED_AT_ONCE", 2)
    await save(store, account)
    await save_often(store, account, 9)
    other, plan = await save(store, account, "Other")
    for _ in range(7):
        await accept(store, account, other, plan)
    await store.workflows.delete(account.id, "echo")

    steps = 0
    while await store.versions.prune():
        steps += 1

    assert steps == 2
    assert await kept(store, account) == {10}


async def test_a_delete_that_is_30_days_old_is_not_taken_back(
    store: Store, account: Account
) -> None:
    await save(store, account)
    await store.workflows.delete(account.id, "echo")
    key = keyspace.workflow(account.id, "echo")
    await store.client.send("HINCRBY", key, "deleted", -UNDO_MS)

    with pytest.raises(WorkflowNotFound):
        await store.workflows.restore(account.id, "echo")

    await make_due(store, account)
    await store.versions.prune()
    with pytest.raises(WorkflowNotFound):
        await store.workflows.restore(account.id, "echo")


async def test_a_restored_workflow_is_not_removed_when_it_is_due(
    store: Store, account: Account
) -> None:
    await save(store, account)
    await store.workflows.delete(account.id, "echo")
    await store.versions.prune()
    await store.workflows.restore(account.id, "echo")

    await store.versions.prune()

    assert await kept(store, account) == {1}
    assert await when_due(store, account) == 0
    assert await counted(store, account) == await stored(store, account, "echo")
    assert await run_current(store, account)
