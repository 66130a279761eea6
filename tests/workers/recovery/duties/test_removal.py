"""Removal of old executions, ends of deliveries and versions, on a real store."""

import pytest

from engine.errors import Unavailable
from engine.executions.statuses import ExecutionStatus
from engine.ids.partitions import partition_of
from engine.store import NewItem, Store
from engine.store.archive import occurrence_outbox
from engine.store.archive.ended_deliveries import EndedDeliveries
from engine.store.archive.state import ArchiverStates
from engine.store.executions.advance import Step
from engine.store.redis import batch_keys, keyspace
from engine.store.triggers import keys
from tests.support.factories import Runner, greeting
from tests.support.store.ended_batches import EndingBatches, id_of
from tests.support.triggers.occurrences import TRIGGER, occurrence, put_occurrences
from tests.support.workers.lost_executions import begin
from workers.recovery.duties.removal import DAY_MS, OldExecutions, OldVersions


async def test_old_versions_of_a_deleted_workflow_go_with_the_next_round(
    store: Store, runner: Runner
) -> None:
    slug = await runner.save(greeting())
    current = await store.workflows.get(slug)
    await store.workflows.update(runner.account.id, slug, current.document, [])
    await store.workflows.delete(runner.account.id, slug)

    assert await OldVersions(store).run() is False

    fields = await store.client.send("HKEYS", keyspace.workflow(runner.account.id, slug))
    assert b"d2" in fields
    assert b"d1" not in fields


async def test_executions_that_ended_long_ago_are_removed_batch_by_batch(
    store: Store, runner: Runner
) -> None:
    now = await store.leases.now()
    finished = keyspace.finished(partition_of(runner.account.id))
    for age_ms in (DAY_MS + 60_000, DAY_MS - 60_000):
        reference = await begin(runner)
        claimed = await store.walks.claim(reference, "w")
        assert claimed is not None
        step = Step(end=ExecutionStatus.CANCELLED)
        await store.walks.advance(claimed.lease, 1, step)
        await store.client.send("ZADD", finished, now - age_ms, reference)

    executions = OldExecutions(store, retention_days=1)
    assert await executions.run() is True
    assert await executions.run() is False

    listed, _ = await store.executions.list(runner.account.id)
    assert [keyspace.reference(runner.account.id, one.id) for one in listed] == [reference]


async def test_old_ends_of_deliveries_are_removed(store: Store) -> None:
    now = await store.leases.now()
    for number, age_ms in enumerate((DAY_MS + 60_000, DAY_MS - 60_000)):
        name, key = f"acc/{number}/1", keyspace.unarchived_deliveries(partition_of("acc"))
        await store.client.send("ZADD", key, now - age_ms, name)

    await OldExecutions(store, retention_days=1).run()

    assert (await EndedDeliveries(store.client).backlog()).count == 1


async def test_old_occurrences_are_removed_batch_by_batch(
    store: Store, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(occurrence_outbox, "PRUNED_AT_ONCE", 2)
    account_id = runner.account.id
    old, recent = [occurrence(n) for n in range(3)], [occurrence(7)]
    now, outbox = await store.leases.now(), keys.unarchived_occurrences(partition_of(account_id))
    for found, age_ms in ((old, DAY_MS + 60_000), (recent, DAY_MS - 60_000)):
        for name in await put_occurrences(store, account_id, found):
            await store.client.send("ZADD", outbox, now - age_ms, name)
    executions = OldExecutions(store, retention_days=1)

    assert [await executions.run() for _ in range(3)] == [True, True, False]

    page = await store.occurrences.list(account_id, TRIGGER, None, 9)
    assert page.occurrences == recent


async def test_old_batches_are_removed_and_leave_their_objects_to_be_removed(
    store: Store, runner: Runner
) -> None:
    ending = EndingBatches(store, runner.account.id)
    old = await ending.over(items=[NewItem({"text": "x" * 300_000})])
    recent = await ending.over()
    now = await store.leases.now()
    key = batch_keys.unarchived_batches(partition_of(runner.account.id))
    await store.client.send("ZADD", key, now - DAY_MS - 60_000, old)
    executions = OldExecutions(store, retention_days=1)

    await executions.run()

    assert list(executions.with_outputs) == [old]
    page = await store.batches.page(runner.account.id, 9)
    assert [each.id for each in page.batches] == [id_of(recent)]


async def test_a_worker_without_the_database_of_a_history_prunes_nothing(store: Store) -> None:
    executions = OldExecutions(store, retention_days=1)
    old = await store.leases.now() - 2 * DAY_MS
    key = keyspace.finished(partition_of("acc"))
    await store.client.send("ZADD", key, old, "acc/1")
    await ArchiverStates(store.client).claim_database("the history's")

    with pytest.raises(Unavailable):
        await executions.run()

    assert await store.client.send("ZCARD", key) == 1
    await store.client.send("DEL", keyspace.history())
    await executions.run()
    assert await store.client.send("ZCARD", key) == 0
