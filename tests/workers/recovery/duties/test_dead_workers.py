"""Executions of dead workers go to others, on a real store."""

import pytest

from engine.store import Store
from engine.store.dispatch.worker_leases import Leases
from engine.store.redis import keyspace
from tests.support.factories import Runner
from tests.support.workers.leases import beat
from tests.support.workers.lost_executions import begin, lose
from workers.recovery.clock import RecoveryClock
from workers.recovery.duties.dead_workers import DeadWorkers


@pytest.fixture
def dead_workers(store: Store) -> DeadWorkers:
    """The duty of the worker `me`, by Redis's own clock."""
    return DeadWorkers(store, "me", RecoveryClock(3.0))


async def test_executions_of_a_dead_worker_are_given_back_and_hinted_at(
    store: Store, runner: Runner, dead_workers: DeadWorkers
) -> None:
    references = [await begin(runner) for _ in range(3)]
    for reference in references:
        await lose(store, reference)
    await beat(store, "alive", 60_000)

    await dead_workers.run()

    assert await store.hints.depth() == 3
    assert set(await store.leases.workers()) == {"alive"}
    for reference in references:
        claimed = await store.walks.claim(reference, "other")
        assert claimed is not None
        assert claimed.lost == 1


async def test_a_sweeper_never_buries_its_own_worker(
    store: Store, runner: Runner, dead_workers: DeadWorkers
) -> None:
    reference = await begin(runner)
    await lose(store, reference, "me")

    await dead_workers.run()

    assert await store.leases.held("me") == [reference]
    assert set(await store.leases.workers()) == {"me"}


async def test_one_execution_that_cannot_be_given_back_holds_up_no_other(
    store: Store, runner: Runner, dead_workers: DeadWorkers
) -> None:
    references = [await begin(runner) for _ in range(5)]
    for reference in references:
        await lose(store, reference)
    key = keyspace.execution(*keyspace.parse_reference(references[2]))
    await store.client.send("DEL", key)
    await store.client.send("SET", key, "not a record")

    await dead_workers.run()

    assert await store.hints.depth() == 4
    assert await store.leases.held("dead") == [references[2]]


async def test_one_dead_worker_that_cannot_be_buried_holds_up_no_other(
    store: Store, runner: Runner, dead_workers: DeadWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Leases.held

    async def fail(leases: Leases, worker_id: str) -> list[str]:
        if worker_id == "dead":
            raise ValueError("a bug")
        return await held(leases, worker_id)

    monkeypatch.setattr(Leases, "held", fail)
    await lose(store, await begin(runner))
    await lose(store, await begin(runner), "later")

    await dead_workers.run()

    assert set(await store.leases.workers()) == {"dead"}


async def test_a_run_buries_a_bounded_number_and_each_in_its_turn(
    store: Store, runner: Runner, dead_workers: DeadWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.recovery.duties.dead_workers.READS_AT_ONCE", 16)
    unburied = await begin(runner)
    await lose(store, unburied, "w0")
    key = keyspace.execution(*keyspace.parse_reference(unburied))
    await store.client.send("DEL", key)
    await store.client.send("SET", key, "not a record")
    for number in range(1, 4):
        await lose(store, await begin(runner), f"w{number}")

    left = []
    for _ in range(6):
        await dead_workers.run()
        left.append(len(await store.leases.workers()))

    assert left[0] >= 3
    assert left[-1] == 1
    assert set(await store.leases.workers()) == {"w0"}
