"""Followers that request the lead, and the rare searches of an idle installation."""

import asyncio
import contextlib
import math
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis

from engine.settings import Settings
from engine.store import Store
from engine.store.dispatch.due_search import Promoted
from engine.store.dispatch.worker_leases import Leadership, Leases
from engine.store.redis import keyspace, process_keys
from engine.store.webhooks.deliveries import Deliveries
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.workers.sweepers import make_sweeper
from workers.recovery.duties import due_hints
from workers.recovery.leader import LAPSE_SECONDS, Leader
from workers.recovery.sweeper import LEAD_SECONDS, TICK_SECONDS, Sweeper

LEAD_MS = int(LEAD_SECONDS * 1000)


@contextlib.asynccontextmanager
async def running(*sweepers: Sweeper) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each.run()) for each in sweepers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Return a counter of each worker's requests for the lead."""
    counted: Counter[str] = Counter()
    take_lead = Leases.take_lead

    async def count(leases: Leases, worker_id: str, lease_ms: int, *, key: str) -> Leadership:
        counted[worker_id] += 1
        return await take_lead(leases, worker_id, lease_ms, key=key)

    monkeypatch.setattr(Leases, "take_lead", count)
    return counted


async def leader(store: Store) -> str | None:
    name = await store.client.send("GET", process_keys.leader())
    return name.decode() if name else None


@pytest.mark.parametrize("left_ms", [LEAD_MS, 700, 60_000])
async def test_a_follower_asks_again_when_the_lead_lapses_and_not_before(
    left_ms: int, store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lead from before the clock was set back is shortened to the longest lead."""
    await store.leases.take_lead("leader", left_ms)
    follower, leads = make_sweeper(store, settings, "follower"), list[Leadership]()
    take_lead = Leases.take_lead

    async def note(leases: Leases, worker_id: str, lease_ms: int, *, key: str) -> Leadership:
        leads.append(await take_lead(leases, worker_id, lease_ms, key=key))
        return leads[-1]

    monkeypatch.setattr(Leases, "take_lead", note)
    await follower.tick()

    [lead] = leads
    assert follower.leader.pause == lead.left_ms / 1000 + LAPSE_SECONDS
    assert lead.left_ms <= min(left_ms, LEAD_MS)
    assert await store.client.send("PTTL", process_keys.leader()) <= LEAD_MS
    assert LAPSE_SECONDS <= TICK_SECONDS  # so late it would be if it asked with every tick


async def test_followers_ask_a_few_times_while_the_leader_asks_with_every_tick(
    store: Store, settings: Settings, asked: Counter[str]
) -> None:
    names = ("one", "two", "three", "four")
    async with running(*(make_sweeper(store, settings, name) for name in names)):
        leads = await eventually(lambda: leader(store))
        asked.clear()
        await eventually(lambda: _count(asked, leads), lambda count: count >= 16)

    for name in set(names) - {leads}:
        assert asked[name] <= asked[str(leads)] / 2


async def test_the_death_of_a_leader_is_noticed_as_soon_as_its_lead_has_lapsed(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The times are Redis's."""
    died_at = (await store.leases.take_lead("dead", LEAD_MS)).now
    follower = make_sweeper(store, settings, "follower")
    taken = asyncio.get_running_loop().create_future()

    async def begin_lead() -> None:
        if not taken.done():
            taken.set_result(follower.clock.redis_ms)

    monkeypatch.setattr(follower, "_begin_lead", begin_lead)
    async with running(follower):
        taken_at = await asyncio.wait_for(taken, PATIENCE_SECONDS)

    assert died_at + LEAD_MS <= taken_at <= died_at + 5 * LEAD_MS  # on a machine that is busy
    print(f"noticed {taken_at - died_at} ms after the last renewal; a lead lasts {LEAD_MS} ms")


async def test_a_long_pause_of_a_follower_is_not_taken_for_sleep(
    store: Store, settings: Settings
) -> None:
    """Its pause is as long as half a lease, in which a machine that slept would spare all."""
    await store.leases.take_lead("leader", LEAD_MS)
    follower = make_sweeper(store, settings, "follower")
    await follower.tick()
    follower.clock.spared_until = 0.0

    follower._ticked_at -= follower.leader.pause + TICK_SECONDS
    await follower.tick()

    assert follower.clock.spared_until == 0.0


async def test_a_follower_whose_machine_slept_spares_all(store: Store, settings: Settings) -> None:
    await store.leases.take_lead("leader", LEAD_MS)
    follower = make_sweeper(store, settings, "follower")
    await follower.tick()
    follower.clock.spared_until = 0.0

    follower._ticked_at -= follower.leader.pause + 1.5
    await follower.tick()

    assert follower.clock.spared_until > 0.0


def make_leader(store: Store, worker_id: str) -> Leader:
    return Leader(
        store.leases,
        worker_id,
        key=process_keys.leader(),
        lead_seconds=LEAD_SECONDS,
        renew_seconds=TICK_SECONDS,
    )


async def list_workers(store: Store, count: int) -> None:
    names = [word for number in range(count) for word in (2**52, f"w{number}")]
    await store.client.send("ZADD", process_keys.workers(), *names)


async def test_many_followers_spread_their_requests(store: Store) -> None:
    await list_workers(store, 1_000)
    await store.leases.take_lead("leader", LEAD_MS)
    followers = [make_leader(store, f"w{number}") for number in range(200)]

    await asyncio.gather(*(each.request() for each in followers))

    waits = [each.pause for each in followers]
    assert max(waits) <= LEAD_SECONDS + LAPSE_SECONDS + 10.0
    assert sum(waits) / len(waits) > 4.0
    assert min(waits) < LEAD_SECONDS + LAPSE_SECONDS + 1.0


async def test_the_workers_are_counted_once_in_a_while(
    store: Store, redis_cleaner: redis.Redis
) -> None:
    await list_workers(store, 3)
    await store.leases.take_lead("leader", LEAD_MS)
    follower = make_leader(store, "w1")
    redis_cleaner.config_resetstat()

    for _ in range(5):
        await follower.request()

    assert redis_cleaner.info("commandstats")["cmdstat_zcard"]["calls"] == 1


async def test_a_lead_that_lapses_is_taken_by_one_of_many(store: Store) -> None:
    await list_workers(store, 100)
    first = make_leader(store, "first")
    await first.request()
    followers = [make_leader(store, f"w{number}") for number in range(100)]

    async def follow(each: Leader) -> None:
        while True:
            await each.request()
            await asyncio.sleep(each.pause)

    tasks = [asyncio.create_task(follow(each)) for each in followers]

    async def is_taken() -> bool:
        return any(each.is_leading for each in followers)

    await eventually(is_taken)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(each.is_leading for each in followers) == 1


async def expire(store: Store, worker_id: str) -> None:
    """List a worker whose lease is over, as after a time in which nobody could renew one."""
    await store.client.send("ZADD", process_keys.workers(), await store.leases.now() - 1, worker_id)


@pytest.mark.parametrize(("ago", "is_spared"), [(1.0, True), (4.0, False), (math.inf, False)])
async def test_a_new_leader_spares_all_for_a_lease_after_a_silence_of_its_heartbeat(
    ago: float, is_spared: bool, store: Store, settings: Settings
) -> None:
    silence = time.monotonic() - ago
    follower = make_sweeper(store, settings, "follower", lambda: silence)
    await follower.tick()  # its first look at the clock spares all
    follower.clock.spared_until = 0.0
    follower._read_at -= 10.0  # followers of many wait long between their requests
    await expire(store, "living")

    await follower.tick()

    assert ("living" in await store.leases.workers()) is is_spared


@pytest.mark.parametrize(("gap", "is_spared"), [(1.0, False), (3.0, True)])
async def test_without_a_heartbeat_a_long_pause_between_requests_spares_all(
    gap: float, is_spared: bool, store: Store, settings: Settings
) -> None:
    follower = make_sweeper(store, settings, "follower")
    await follower.tick()
    follower.clock.spared_until = 0.0
    follower._read_at -= gap
    await expire(store, "living")

    await follower.tick()

    assert ("living" in await store.leases.workers()) is is_spared


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> Counter[type]:
    """Return a counter of the searches for due executions, by `Leases`, and for deliveries."""
    counted: Counter[type] = Counter()

    def count(owner: type[Leases] | type[Deliveries]) -> None:
        promote = owner.promote

        async def counting(self: Any, *times_ms: int) -> Promoted:
            counted[owner] += 1
            return await promote(self, *times_ms)

        monkeypatch.setattr(owner, "promote", counting)

    count(Leases)
    count(Deliveries)
    return counted


async def test_hints_are_looked_for_seldom_while_none_is_due(
    store: Store, settings: Settings, searches: Counter[type], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_hints, "IDLE_SECONDS", 60.0)
    only = make_sweeper(store, settings, "only")

    for _ in range(3):
        await only.tick()

    assert searches == {Leases: 1, Deliveries: 1}


@pytest.mark.parametrize(
    ("due", "owner"), [(keyspace.due(7), Leases), (keyspace.deliveries_due(7), Deliveries)]
)
async def test_hints_are_looked_for_with_every_tick_while_one_is_due_later_and_a_while_after(
    due: str,
    owner: type,
    store: Store,
    settings: Settings,
    searches: Counter[type],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(due_hints, "IDLE_SECONDS", 60.0)
    monkeypatch.setattr(due_hints, "BUSY_SECONDS", 60.0)
    only = make_sweeper(store, settings, "only")
    await store.client.send("ZADD", due, await store.leases.now() + 60_000, "acc/x")

    for _ in range(3):
        await only.tick()
    await store.client.send("DEL", due)
    for _ in range(3):
        await only.tick()

    assert searches[owner] == 6


async def test_executions_that_fall_due_in_an_idle_installation_are_hinted_at(
    store: Store, settings: Settings
) -> None:
    async def hints() -> int:
        return int(await store.client.send("LLEN", process_keys.hints("walk")))

    async with running(make_sweeper(store, settings, "only")):
        await eventually(lambda: leader(store))
        await asyncio.sleep(0.5)
        await store.client.send("ZADD", keyspace.due(3), 1, "acc/x")

        await eventually(hints)


async def _count(asked: Counter[str], name: str | None) -> int:
    return asked[str(name)]
