"""Removal of old ends by the sweeper, with and without a history."""

import pytest

from engine.errors import Unavailable
from engine.ids.partitions import partition_of
from engine.store import Store
from engine.store.archive.ended_deliveries import EndedDeliveries
from engine.store.archive.state import ArchiverStates
from engine.store.redis import keyspace
from workers.recovery.sweeper import DAY_MS, Sweeper


@pytest.mark.parametrize(("has_history", "left"), [(False, 1), (True, 2)])
async def test_old_ends_of_deliveries_wait_only_for_a_history_that_is_there(
    store: Store, has_history: bool, left: int
) -> None:
    sweeper = Sweeper(
        *(store, "me"),
        lease_seconds=3.0,
        retention_days=1,
        prunes_executions=not has_history,
    )
    now = await store.leases.now()
    for number, age_ms in enumerate((DAY_MS + 60_000, DAY_MS - 60_000)):
        name, key = f"acc/{number}/1", keyspace.unarchived_deliveries(partition_of("acc"))
        await store.client.send("ZADD", key, now - age_ms, name)

    await sweeper.prune()

    assert (await EndedDeliveries(store.client).backlog()).count == left


async def test_a_worker_without_the_database_of_a_history_prunes_nothing(store: Store) -> None:
    sweeper = Sweeper(store, "me", lease_seconds=3.0, retention_days=1)
    old = await store.leases.now() - 2 * DAY_MS
    key = keyspace.finished(partition_of("acc"))
    await store.client.send("ZADD", key, old, "acc/1")
    await ArchiverStates(store.client).claim_database("the history's")

    with pytest.raises(Unavailable):
        await sweeper.prune()

    assert await store.client.send("ZCARD", key) == 1
    await store.client.send("DEL", keyspace.history())
    await sweeper.prune()
    assert await store.client.send("ZCARD", key) == 0
