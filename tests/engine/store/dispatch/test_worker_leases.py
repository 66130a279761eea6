import asyncio
from collections.abc import Sequence

import pytest

from engine.executions.statuses import ExecutionStatus
from engine.graph.plan import Plan
from engine.ids.partitions import partition_of
from engine.store import Account, Store, Workflow
from engine.store.dispatch import due_search, worker_leases
from engine.store.executions.advance import Step
from engine.store.executions.claim import Lease
from engine.store.redis import keyspace, process_keys
from tests.support.eventually import eventually
from tests.support.store.records import BOTH_DONE, accept, save
from tests.support.workers.leases import beat

Saved = tuple[Workflow, Plan]


@pytest.fixture
async def saved(store: Store, account: Account) -> Saved:
    return await save(store, account)


async def test_a_beat_renews_the_lease_by_redis_own_clock(store: Store) -> None:
    before = await store.leases.now()

    now = await beat(store, "w1", 3_000)

    after = await store.leases.now()
    assert before <= now <= after
    assert await store.leases.workers() == {"w1": now + 3_000}
    assert await store.leases.dead_workers() == []


async def test_a_silent_worker_is_dead_until_it_beats_again(store: Store) -> None:
    await beat(store, "w1", 5)
    await beat(store, "w2", 60_000)

    assert await eventually(store.leases.dead_workers) == ["w1"]
    await beat(store, "w1", 60_000)
    assert await store.leases.dead_workers() == []


async def test_the_dead_are_buried_and_the_living_are_not(store: Store) -> None:
    await beat(store, "dead", 0)
    await beat(store, "living", 60_000)
    await eventually(store.leases.dead_workers)

    buried = [await store.leases.remove_dead(name) for name in ("dead", "dead", "living", "nobody")]

    assert buried == [True, False, False, False]
    assert set(await store.leases.workers()) == {"living"}


async def test_a_dead_worker_with_executions_is_not_removed(
    store: Store, account: Account, saved: Saved
) -> None:
    accepted = await accept(store, account, *saved)
    reference = keyspace.reference(account.id, accepted.id)
    await beat(store, "w1", 0)
    assert await store.walks.claim(reference, "w1", "t")
    await eventually(store.leases.dead_workers)

    assert not await store.leases.remove_dead("w1")
    assert await store.leases.dead_workers() == ["w1"]

    await store.walks.give_back(reference, "w1", is_lost=True)
    assert await store.leases.remove_dead("w1")
    assert await store.leases.workers() == {}


async def test_the_variables_of_living_workers_are_known_by_name(store: Store) -> None:
    await beat(store, "dead", 0, ["A_KEY"])
    await beat(store, "bare", 60_000)
    await beat(store, "keyed", 60_000, ["B_KEY", "A_KEY"])
    await eventually(store.leases.dead_workers)

    assert set(await store.leases.variables()) == {frozenset(), frozenset({"A_KEY", "B_KEY"})}


async def test_the_variables_of_a_worker_are_those_of_its_last_beat(store: Store) -> None:
    await beat(store, "w1", 60_000, ["A_KEY"])

    await beat(store, "w1", 60_000, ["B_KEY"])

    assert await store.leases.variables() == [{"B_KEY"}]


async def test_nothing_is_left_of_the_variables_of_workers_that_are_gone(store: Store) -> None:
    await beat(store, "dead", 0, ["A_KEY"])
    await beat(store, "done", 60_000, ["A_KEY"])
    await eventually(store.leases.dead_workers)

    await store.leases.remove_dead("dead")
    await store.leases.resign("done")

    assert await store.client.send("EXISTS", process_keys.worker_variables()) == 0


async def test_a_worker_may_resign(store: Store) -> None:
    await beat(store, "w1", 60_000)

    await store.leases.resign("w1")
    await store.leases.resign("nobody")

    assert await store.leases.workers() == {}


async def test_an_observer_of_a_workers_death_can_end_its_lease(store: Store) -> None:
    await beat(store, "w1", 60_000)

    await store.leases.end_lease("w1")
    await store.leases.end_lease("nobody")

    assert await store.leases.dead_workers() == ["w1"]


async def test_one_of_many_leads_until_its_time_is_over(store: Store) -> None:
    async def takes_lead(name: str, lease_ms: int = 60_000) -> bool:
        lead = await store.leases.take_lead(name, lease_ms)
        assert abs(lead.now - await store.leases.now()) < 5_000
        assert 0 <= lead.left_ms <= lease_ms
        return lead.is_own

    names = [f"w{number}" for number in range(10)]
    leads = await asyncio.gather(*(takes_lead(name) for name in names))
    leader = names[leads.index(True)]
    assert leads.count(True) == 1

    assert await takes_lead(leader, 5)
    assert await eventually(lambda: takes_lead("other"))
    assert not await takes_lead(leader)


async def test_a_workers_executions_are_found_over_all_partitions(
    store: Store, account: Account, saved: Saved
) -> None:
    references = set()
    for number in range(8):
        owner = await store.accounts.create(email=f"{number}@example.com", tier=account.tier)
        accepted = await accept(store, owner, *await save(store, owner))
        reference = keyspace.reference(owner.id, accepted.id)
        assert await store.walks.claim(reference, "w1", "t")
        references.add(reference)

    assert set(await store.leases.held("w1")) == references
    assert await store.leases.held("w2") == []


async def test_a_hint_that_nobody_claimed_is_sent_again_and_again(
    store: Store, account: Account, saved: Saved
) -> None:
    accepted = await accept(store, account, *saved)
    reference = keyspace.reference(account.id, accepted.id)
    key = keyspace.due(partition_of(account.id))
    assert (await store.leases.promote(5_000)).references == []
    await store.client.send("ZADD", key, 1, reference)

    promoted = [(await store.leases.promote(1)).references for _ in range(1)]
    again = await eventually(lambda: due_references(store))

    assert promoted == [[reference]]
    assert again == [reference]
    assert (await store.leases.promote(5_000)).references == []
    assert await store.leases.due() == 1


async def due_references(store: Store) -> Sequence[str]:
    return (await store.leases.promote(5_000)).references


async def test_a_promotion_tells_whether_hints_are_due_later(store: Store) -> None:
    empty = await store.leases.promote(5_000)
    await store.client.send("ZADD", keyspace.due(3), await store.leases.now() + 60_000, "acc/x")

    later = await store.leases.promote(5_000)

    assert (empty.references, empty.has_more) == ([], False)
    assert (later.references, later.has_more) == ([], True)


async def test_one_sweep_promotes_a_bounded_number(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_search, "MOST", 1_000)
    for number in range(1_200):
        store.client.send("ZADD", keyspace.due(3), 1, f"acc/{number}")

    sizes = [len((await store.leases.promote(60_000)).references) for _ in range(4)]

    assert sizes == [1_000, 200, 0, 0]


async def test_only_executions_that_ended_before_a_time_are_pruned_and_as_a_whole(
    store: Store, account: Account, saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_leases, "PRUNED_AT_ONCE", 32)  # two of a partition
    ended = [await accept(store, account, *saved) for _ in range(3)]
    active = await accept(store, account, *saved)
    for each in ended:
        reference = keyspace.reference(account.id, each.id)
        assert await store.walks.claim(reference, "w1", "t")
        has_objects, end = each is ended[0], ExecutionStatus.COMPLETED
        step = Step(settled=BOTH_DONE, names_objects=has_objects, end=end)
        await store.walks.advance(Lease(account.id, each.id, "w1", 1, "t"), 1, step)

    pruned = [
        await store.leases.prune(before) for before in (0, *[await store.leases.now() + 1] * 3)
    ]

    assert [each.executions for each in pruned] == [0, 2, 1, 0]
    left = [each for some in pruned for each in some.with_objects]
    assert left == [keyspace.reference(account.id, ended[0].id)]
    rows, _ = await store.executions.list(account.id)
    keys = await store.client.send("KEYS", f"*{ended[0].id}*")
    assert [row.id for row in rows] == [active.id]
    assert keys == []


async def test_the_uptime_of_redis_is_known(store: Store) -> None:
    assert await store.leases.uptime_seconds() >= 0
