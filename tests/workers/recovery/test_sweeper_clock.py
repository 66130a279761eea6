"""The sweeper after jumps of Redis's clock, on a real store whose time is shifted."""

from dataclasses import dataclass, replace

import pytest

from engine.settings import Settings
from engine.store import Store
from engine.store.dispatch.worker_leases import Leadership, Leases
from engine.store.metrics.snapshots import RETIRED
from engine.store.redis import keyspace, process_keys
from engine.store.redis.record_packing import pack
from tests.support.eventually import eventually
from tests.support.workers import leases
from tests.support.workers.sweepers import LEASE_SECONDS, make_sweeper
from workers.recovery.sweeper import Sweeper

LEASE_MS = 3_000


@dataclass
class Shift:
    """Shift of Redis's clock, for all calls of sweepers and workers."""

    ms: int = 0


@pytest.fixture
def shift(monkeypatch: pytest.MonkeyPatch) -> Shift:
    shift = Shift()
    take_lead = Leases.take_lead

    async def shifted(
        leases: Leases, worker_id: str, lease_ms: int, *, key: str = process_keys.leader()
    ) -> Leadership:
        lead = await take_lead(leases, worker_id, lease_ms, key=key)
        return replace(lead, now=lead.now + shift.ms)

    async def up_for_long(leases: Leases) -> int:
        return 10_000

    monkeypatch.setattr("workers.recovery.duties.due_hints.IDLE_SECONDS", 0.0)
    monkeypatch.setattr(Leases, "take_lead", shifted)
    monkeypatch.setattr(Leases, "uptime_seconds", up_for_long)
    return shift


@pytest.fixture
async def leader(store: Store, settings: Settings, shift: Shift) -> Sweeper:
    """A sweeper that leads, and has watched the clock for long enough."""
    leader = make_sweeper(store, settings)
    await leader.tick()
    leader.clock.spared_until = 0.0
    return leader


async def beat(store: Store, shift: Shift, worker_id: str) -> None:
    """Renew a lease as a worker would by the shifted clock."""
    ends = await store.leases.now() + shift.ms + LEASE_MS
    await store.client.send("ZADD", process_keys.workers(), ends, worker_id)


async def known(store: Store) -> set[str]:
    return set(await store.leases.workers())


@pytest.mark.parametrize("jump_ms", [4_000, 3_600_000])
async def test_no_worker_is_taken_for_dead_when_the_clock_jumps_ahead(
    jump_ms: int, store: Store, shift: Shift, leader: Sweeper
) -> None:
    await beat(store, shift, "living")
    await beat(store, shift, "dead")

    shift.ms = jump_ms
    await leader.tick()
    await leader.tick()
    assert await known(store) == {"living", "dead"}

    leader.clock.spared_until -= LEASE_SECONDS  # a lease goes by, in which living workers beat
    await beat(store, shift, "living")
    await leader.tick()
    assert await known(store) == {"living"}


async def test_a_sweeper_that_begins_while_the_store_is_away_spares_all_for_a_whole_lease(
    store: Store, settings: Settings, shift: Shift
) -> None:
    sweeper = make_sweeper(store, settings)
    sweeper._lose_lead()
    spared_until = sweeper.clock.spared_until

    await sweeper.tick()  # its first look at the clock alone spares for half a lease

    assert sweeper.clock.spared_until >= spared_until


async def test_a_death_that_was_seen_counts_although_the_clock_jumped(
    store: Store, shift: Shift, leader: Sweeper
) -> None:
    await beat(store, shift, "living")
    await beat(store, shift, "dead")
    await store.leases.end_lease("dead")

    shift.ms = 4_000
    await leader.tick()

    assert await known(store) == {"living"}


@pytest.mark.F29
async def test_a_worker_that_died_is_found_within_a_lease_although_the_clock_was_set_back(
    store: Store, shift: Shift, leader: Sweeper
) -> None:
    await beat(store, shift, "dead")
    await beat(store, shift, "seen dead")
    await store.leases.end_lease("seen dead")

    shift.ms = -3_600_000
    await leader.tick()

    workers = await store.leases.workers()
    assert set(workers) == {"dead"}
    assert workers["dead"] <= await store.leases.now() + shift.ms + LEASE_MS


@pytest.mark.F29
async def test_leases_that_last_too_long_are_shortened_by_the_next_leader(
    store: Store, settings: Settings, shift: Shift
) -> None:
    sweeper = make_sweeper(store, settings)

    for turn in ("first", "again"):
        await leases.beat(store, turn, 3_600_000)  # before the clock was set back
        await sweeper.tick()
        assert (await store.leases.workers())[turn] <= await store.leases.now() + LEASE_MS

        await store.client.send("SET", process_keys.leader(), "other")
        await sweeper.tick()
        await store.client.send("DEL", process_keys.leader())


async def test_a_new_sweeper_takes_no_worker_for_dead_until_living_ones_have_beaten(
    store: Store, settings: Settings, shift: Shift
) -> None:
    await store.client.send("ZADD", process_keys.workers(), 2, "silent")
    sweeper = make_sweeper(store, settings)

    await sweeper.tick()
    assert await known(store) == {"silent"}

    sweeper.clock.spared_until -= LEASE_SECONDS / 2
    await sweeper.tick()
    assert await known(store) == set()


async def test_the_next_leader_after_a_jump_has_seen_it(
    store: Store, settings: Settings, shift: Shift
) -> None:
    await store.leases.take_lead("before", 60_000)
    sweeper = make_sweeper(store, settings)
    await sweeper.tick()
    sweeper.clock.spared_until = 0.0
    await beat(store, shift, "living")

    shift.ms = 4_000
    await store.client.send("DEL", process_keys.leader())  # its lease is over by the new clock
    await sweeper.tick()

    assert sweeper.leader.is_leading
    assert await known(store) == {"living"}


async def test_a_lead_from_before_the_clock_was_set_back_ends_within_its_lease(
    store: Store,
) -> None:
    await store.leases.take_lead("dead", 3_600_000)

    lead = await store.leases.take_lead("me", 50)

    assert not lead.is_own
    assert lead.left_ms <= 50
    assert await eventually(lambda: takes_lead(store))


async def takes_lead(store: Store) -> bool:
    return (await store.leases.take_lead("me", 1_500)).is_own


async def test_a_jump_ahead_ends_no_attempt_at_a_delivery(
    store: Store, shift: Shift, leader: Sweeper
) -> None:
    async def hints() -> int:
        return int(await store.client.send("LLEN", process_keys.hints("deliver")))

    ends = await store.leases.now() + 20_000
    await store.client.send("ZADD", keyspace.deliveries_due(0), ends, "acc/attempted")

    for shift.ms in (60_000, 120_000, 60_000):
        await leader.tick()
        assert await hints() == 0

    leader.clock.delivery_lag_ends = 0.0  # any attempt from before the jump has ended
    await leader.tick()
    assert await hints() == 1


async def test_no_metrics_are_folded_just_after_the_clock_jumped(
    store: Store, shift: Shift, leader: Sweeper
) -> None:
    await store.client.send("HSET", process_keys.metrics(), "silent", pack([1, []]))

    shift.ms = 60_000
    await leader.tick()
    found, _ = await store.snapshots.all()
    assert set(found) == {"silent"}

    leader.clock.spared_until = 0.0
    await leader.tick()
    found, _ = await store.snapshots.all()
    assert set(found) == {RETIRED}
