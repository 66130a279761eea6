"""Removal of old ends by the sweeper, with and without a history."""

import pytest

from engine.ids.partitions import partition_of
from engine.store import Store
from engine.store.archive.ended_deliveries import EndedDeliveries
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
