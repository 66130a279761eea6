"""The duty of canaries: accounts take turns, and none is looked at before the store's schema."""

import time
from collections.abc import Mapping

import pytest

from engine.ids.partitions import partition_of
from engine.store import Account, Store
from engine.store.redis.info import read_now
from engine.store.releases.canaries import MOST_LOOKS
from engine.store.releases.canary_keys import canaries_due, open_canaries
from engine.store.schema import StoreSchema
from tests.support.releases.canaries import WatchedWorkflow
from tests.support.releases.ended_releases import OWN
from workers.recovery.clock import ClockReading, RecoveryClock
from workers.recovery.duties.canaries import DueCanaries

GREEDY = "acc_greedy"


async def clock_of(store: Store) -> RecoveryClock:
    clock, now = RecoveryClock(15.0), time.monotonic()
    redis = await read_now(store.client) / 1000
    clock.add(ClockReading(redis=redis, before=now, after=now))
    return clock


async def spoiled(store: Store, account: Account) -> WatchedWorkflow:
    watched = await WatchedWorkflow.of(store, account)
    for _ in range(4):
        await watched.releases.fail()
    return watched


async def test_a_canary_that_breaks_its_rule_is_taken_back(store: Store, account: Account) -> None:
    watched = await spoiled(store, account)
    duty = DueCanaries(store, await clock_of(store))

    await duty.run()

    assert await watched.canary() is None
    assert duty.interval_seconds == 0.0


async def test_without_the_schema_of_releases_nothing_is_read(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = await spoiled(store, account)
    monkeypatch.setattr(StoreSchema, "allows", lambda schema, since: False)

    assert not await DueCanaries(store, await clock_of(store)).run()

    assert await watched.canary() is not None


async def test_an_account_with_many_canaries_delays_no_other(
    store: Store, account: Account
) -> None:
    """The greedy account is in the same partition, and its workflows have waited for longer."""
    partition = partition_of(account.id)
    names: Mapping[str, int] = {f"slug-{number}": number for number in range(500)}
    words = [word for name, at in names.items() for word in (at, name)]
    greedy = next(
        f"acc_{each}" for each in range(9_999) if partition_of(f"acc_{each}") == partition
    )
    await store.client.send("ZADD", open_canaries(greedy), *words)
    await store.client.send("ZADD", canaries_due(partition), 0, greedy)
    watched = await spoiled(store, account)

    await DueCanaries(store, await clock_of(store)).run()

    assert await watched.canary() is None
    left = await store.client.send("ZCARD", open_canaries(greedy))
    assert left == len(names) - MOST_LOOKS


async def test_a_workflow_that_cannot_be_judged_stops_no_other(
    store: Store, account: Account
) -> None:
    watched = await spoiled(store, account)
    broken = await WatchedWorkflow.of(store, account)
    await broken.releases.complete(OWN)
    await store.client.send("HSET", broken.key, "aliases", b"{")

    await DueCanaries(store, await clock_of(store)).run()

    assert await watched.canary() is None
